package screen

import (
	"strconv"

	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// Topup offers amounts, and to type another.
func Topup(t *i18n.Text, options sqlapi.TopupOptions) Screen {
	s := Screen{Text: t.HTML("topup.text")}
	var presets []Button
	for i, amount := range options.Presets {
		presets = append(presets, Button{Label: t.Money(amount), Data: VerbPreset.With(strconv.Itoa(i))})
		if len(presets) == 3 || i == len(options.Presets)-1 {
			s.Rows = append(s.Rows, presets)
			presets = nil
		}
	}
	s.Rows = append(s.Rows, row(press(t, "button.typed", VerbTyped)), row(back(t, VerbProfile)), toMenu(t))
	return s
}

// AskAmount asks to type an amount.
func AskAmount(t *i18n.Text, options sqlapi.TopupOptions) Screen {
	return Screen{Text: t.HTML("topup.ask", limits(options)), Rows: [][]Button{row(back(t, VerbTopup))}}
}

// WrongAmount asks again, after something that is no amount.
func WrongAmount(t *i18n.Text, options sqlapi.TopupOptions) Screen {
	return Screen{Text: t.HTML("topup.wrong", limits(options)), Rows: [][]Button{row(back(t, VerbTopup))}}
}

// AmountOutOfRange asks again, after an amount that cannot be topped up.
func AmountOutOfRange(t *i18n.Text, options sqlapi.TopupOptions) Screen {
	return Screen{Text: t.HTML("topup.out_of_range", limits(options)), Rows: [][]Button{row(back(t, VerbTopup))}}
}

func limits(options sqlapi.TopupOptions) i18n.Args {
	return i18n.Args{"minimum": options.Minimum, "maximum": options.Maximum}
}
