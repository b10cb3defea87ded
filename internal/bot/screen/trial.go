package screen

import (
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of the trial.
const (
	VerbTrial      Verb = "trial"
	VerbTrialStart Verb = "trial_start"
)

// Trial says what a trial is and offers to begin it, or says why there is none and what to do instead.
func Trial(t *i18n.Text, offer sqlapi.TrialOffer) Screen {
	if offer.Refusal != "" {
		return noTrial(t, offer.Refusal)
	}
	return Screen{
		Text: t.HTML("trial.offer", i18n.Args{
			"days":    t.CountPlain("word.days", offer.Days),
			"tariff":  tariffName(t, offer.Tariff),
			"devices": t.CountPlain("word.devices", offer.DeviceLimit),
		}),
		Rows: [][]Button{
			row(press(t, "button.trial_start", VerbTrialStart)),
			row(press(t, "button.buy", VerbBuy)),
			toMenu(t),
		},
	}
}

func noTrial(t *i18n.Text, code string) Screen {
	key := "trial.refused_" + code
	if !t.Has(key) {
		return Failure(t, code, "")
	}
	s := Screen{Text: t.HTML(key)}
	switch code {
	case atlas.ErrUserIsBlocked.Code:
		s.Rows = append(s.Rows, row(press(t, "button.support", VerbSupport)))
	case atlas.ErrPaidSubscription.Code:
		s.Rows = append(s.Rows, row(press(t, "button.key", VerbKey), press(t, "button.profile", VerbProfile)))
	default:
		s.Rows = append(s.Rows, row(press(t, "button.buy", VerbBuy)))
	}
	s.Rows = append(s.Rows, toMenu(t))
	return s
}

// TrialStarted says until when the trial runs, and that the key comes by itself.
func TrialStarted(t *i18n.Text, tariff atlas.Tariff, until time.Time) Screen {
	return Screen{
		Text: i18n.Join("\n\n",
			t.HTML("trial.started", i18n.Args{"tariff": tariffName(t, tariff), "until": until}),
			t.HTML("purchase.key_follows")),
		Rows: [][]Button{row(press(t, "button.instruction", VerbInstruction), press(t, "button.key", VerbKey)), toMenu(t)},
	}
}

// TrialRuns answers who starts the trial that runs already.
func TrialRuns(t *i18n.Text, s sqlapi.CurrentSubscription) Screen {
	return Screen{
		Text: i18n.Join("\n\n", t.HTML("trial.runs"), subscription(t, s)),
		Rows: [][]Button{row(press(t, "button.instruction", VerbInstruction), press(t, "button.key", VerbKey)), toMenu(t)},
	}
}
