package i18n

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones that the catalogues name, whatever the machine has installed

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"

	"atlas-secure/internal/atlas"
)

// format is how a language writes money and time, as its catalogue says.
type format struct {
	group   string // between thousands
	decimal string // before kopecks
	zone    *time.Location
}

func (t *Text) loadFormat() error {
	group, err := t.localizer.Localize(&goi18n.LocalizeConfig{MessageID: "format.group", TemplateParser: unparsed})
	if err != nil {
		return fmt.Errorf("format.group: %w", err)
	}
	decimal, err := t.localizer.Localize(&goi18n.LocalizeConfig{MessageID: "format.decimal", TemplateParser: unparsed})
	if err != nil {
		return fmt.Errorf("format.decimal: %w", err)
	}
	name, err := t.localizer.Localize(&goi18n.LocalizeConfig{MessageID: "format.zone", TemplateParser: unparsed})
	if err != nil {
		return fmt.Errorf("format.zone: %w", err)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return fmt.Errorf("format.zone: %w", err)
	}
	t.format = format{group: group, decimal: decimal, zone: zone}
	return nil
}

// Money writes an amount of roubles: "1 399 ₽", with kopecks only where there are any.
func (t *Text) Money(amount atlas.Kopecks) string {
	roubles, kopecks := amount.Split()
	sign := ""
	if amount < 0 {
		sign, roubles, kopecks = "−", -roubles, -kopecks
	}
	text := sign + grouped(roubles, t.format.group)
	if kopecks != 0 {
		text += t.format.decimal + fmt.Sprintf("%02d", kopecks)
	}
	return text + " ₽"
}

func (t *Text) signedMoney(amount atlas.Kopecks) string {
	if amount > 0 {
		return "+" + t.Money(amount)
	}
	return t.Money(amount)
}

func grouped(n int64, separator string) string {
	digits := strconv.FormatInt(n, 10)
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, groups...), separator)
}

// Date writes a day in the language's time zone.
func (t *Text) Date(moment time.Time) string {
	local := moment.In(t.format.zone)
	return t.Plain("format.date", Args{
		"day": local.Day(), "month": t.Plain("format.month_" + strconv.Itoa(int(local.Month()))), "year": local.Year(),
	})
}

// Moment writes a day and a time, and says which zone it is in.
func (t *Text) Moment(moment time.Time) string {
	return t.Plain("format.moment", Args{"date": t.Date(moment), "time": moment.In(t.format.zone).Format("15:04")})
}

// Zone is the time zone of the language: the one that moments are written in, and that people type them in.
func (t *Text) Zone() *time.Location { return t.format.zone }
