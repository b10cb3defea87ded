package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of a new key.
const (
	VerbReissue    Verb = "reissue"
	VerbReissueNow Verb = "reissue_now" // the question's number
)

// AskReissue asks whether the old key may stop working. Without a subscription in force it says so.
func AskReissue(t *i18n.Text, s sqlapi.CurrentSubscription, question string) Screen {
	if s.Status == atlas.NoSubscription || s.Status == atlas.ExpiredSubscription {
		return Key(t, s)
	}
	return Screen{
		Text: t.HTML("reissue.ask"),
		Rows: [][]Button{
			row(press(t, "button.reissue_now", VerbReissueNow, question)),
			row(press(t, "button.leave", VerbKey)),
			toMenu(t),
		},
	}
}

// Reissued shows how the new key is: on its way, or there already.
func Reissued(t *i18n.Text, s sqlapi.CurrentSubscription) Screen {
	if s.KeyURI != "" || s.Activation != atlas.ActivationPending {
		return Key(t, s)
	}
	return Screen{
		Text: t.HTML("reissue.done"),
		Rows: [][]Button{row(press(t, "button.instruction", VerbInstruction), press(t, "button.key", VerbKey)), toMenu(t)},
	}
}

// ToKey leads back to the key.
func ToKey(t *i18n.Text) Button { return back(t, VerbKey) }
