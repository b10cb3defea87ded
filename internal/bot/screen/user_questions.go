package screen

import (
	"slices"
	"strconv"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// TimeUnit is what a length is counted in.
type TimeUnit string

// The units of a length.
const (
	InMinutes TimeUnit = "minutes"
	InHours   TimeUnit = "hours"
	InDays    TimeUnit = "days"
)

const (
	minutesAnHour = 60
	// MinutesADay is how many minutes a day has: always as many, since it is counted in UTC.
	MinutesADay = 24 * minutesAnHour
)

// Length is how long access is given for.
type Length struct {
	Unit  TimeUnit
	Value int
}

// Minutes is the length in minutes.
func (l Length) Minutes() int {
	switch l.Unit {
	case InDays:
		return l.Value * MinutesADay
	case InHours:
		return l.Value * minutesAnHour
	default:
		return l.Value
	}
}

// What the questions offer. Buttons carry places in these.
var (
	GrantLengths = []Length{{InMinutes, 10}, {InDays, 1}, {InDays, 7}, {InDays, 14}, {InDays, 365}}
	GrantUnits   = []Length{{InMinutes, 1}, {InHours, 1}, {InDays, 1}}
	DiscountDays = []int{0, 7, 30, 90} // 0: for good
)

// lengthName writes a length in the largest unit that it is whole in.
func lengthName(t *i18n.Text, minutes int) string {
	switch {
	case minutes%MinutesADay == 0:
		return t.CountPlain("word.days", minutes/MinutesADay)
	case minutes%minutesAnHour == 0:
		return t.CountPlain("word.hours", minutes/minutesAnHour)
	default:
		return t.CountPlain("word.minutes", minutes)
	}
}

// UserOptions is what the database offers for buttons of questions.
type UserOptions struct{ Tariffs []atlas.Tariff }

// OptionsOf takes the tariffs from the price list, in its order.
func OptionsOf(prices []sqlapi.Price) UserOptions {
	var o UserOptions
	for _, p := range prices {
		if !slices.Contains(o.Tariffs, p.Tariff) {
			o.Tariffs = append(o.Tariffs, p.Tariff)
		}
	}
	return o
}

// UserQuestion is a question of the dialogue about an action.
type UserQuestion struct {
	Action, Step string
	Verb         Verb // of the buttons that answer it; "" if there are none
	IsWrong      bool // the last answer was none
	Options      UserOptions
}

// AskAboutUser asks a question about what is to be done to a user.
func AskAboutUser(t *i18n.Text, c sqlapi.Card, q UserQuestion) Screen {
	texts := []i18n.HTML{i18n.Join("\n", userHead(t, c), userHas(t, c))}
	if q.IsWrong {
		texts = append(texts, t.HTML("admin.wrong_answer"))
	}
	texts = append(texts, t.HTML("admin.ask_"+q.Action+"_"+q.Step))
	s := Screen{Text: i18n.Join("\n\n", texts...)}
	if q.Verb != "" {
		for place, label := range answers(t, q) {
			s.Rows = append(s.Rows, row(Button{Label: label, Data: q.Verb.With(strconv.Itoa(place))}))
		}
	}
	s.Rows = append(s.Rows, leaveUser(t, c.TelegramID))
	return s
}

// answers are the labels of the buttons that answer a question, each in its place.
func answers(t *i18n.Text, q UserQuestion) []string {
	var labels []string
	switch q.Verb {
	case VerbAdminGrantLength:
		for _, length := range GrantLengths {
			labels = append(labels, lengthName(t, length.Minutes()))
		}
		labels = append(labels, t.Plain("button.a_another_length"))
	case VerbAdminGrantUnit:
		for _, unit := range GrantUnits {
			labels = append(labels, t.Plain("button.a_unit_"+string(unit.Unit)))
		}
	case VerbAdminGrantTariff:
		for _, tariff := range q.Options.Tariffs {
			labels = append(labels, tariffName(t, tariff))
		}
	case VerbAdminGrantNotify, VerbAdminRevokeNotify:
		labels = append(labels, t.Plain("button.a_tell"), t.Plain("button.a_tell_not"))
	case VerbAdminDiscountExpiry:
		for _, days := range DiscountDays {
			if days == 0 {
				labels = append(labels, t.Plain("button.a_for_good"))
				continue
			}
			labels = append(labels, t.CountPlain("word.days", days))
		}
	default: // the others are answered in words
	}
	return labels
}
