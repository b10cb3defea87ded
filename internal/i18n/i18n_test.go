package i18n_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
)

func load(t *testing.T) *i18n.Catalogue {
	t.Helper()
	c, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	return c
}

func TestMoney(t *testing.T) {
	t.Parallel()
	ru, en := load(t).In(atlas.Russian), load(t).In(atlas.English)
	for amount, want := range map[atlas.Kopecks][2]string{
		0:                  {"0 ₽", "0 ₽"},
		5:                  {"0,05 ₽", "0.05 ₽"},
		14900:              {"149 ₽", "149 ₽"},
		139900:             {"1 399 ₽", "1 399 ₽"},
		139950:             {"1 399,50 ₽", "1 399.50 ₽"},
		-50001:             {"−500,01 ₽", "−500.01 ₽"},
		1_000_000_000_000:  {"10 000 000 000 ₽", "10 000 000 000 ₽"},
		-1_000_000_000_000: {"−10 000 000 000 ₽", "−10 000 000 000 ₽"},
	} {
		require.Equal(t, want[0], ru.Money(amount))
		require.Equal(t, want[1], en.Money(amount))
	}
}

func TestTimeSaysItsZone(t *testing.T) {
	t.Parallel()
	c := load(t)
	moment := time.Date(2026, 3, 5, 22, 4, 0, 0, time.UTC)
	require.Equal(t, "6 марта 2026, 01:04 (МСК)", c.In(atlas.Russian).Moment(moment))
	require.Equal(t, "5 March 2026, 22:04 UTC", c.In(atlas.English).Moment(moment.In(time.FixedZone("x", 7200))))
	require.Equal(t, "6 марта 2026", c.In(atlas.Russian).Date(moment))
}

func TestArgumentsAreEscaped(t *testing.T) {
	t.Parallel()
	en := load(t).In(atlas.English)
	hostile := `<b>"Bobby" & </code><a href="tg://x">tap</a> {{.name}}`
	text := en.HTML("menu.text", i18n.Args{"name": hostile})
	require.Contains(t, string(text), "&lt;b&gt;&#34;Bobby&#34; &amp; &lt;/code&gt;&lt;a href=&#34;tg://x&#34;&gt;tap&lt;/a&gt; {{.name}}")
	require.Contains(t, string(text), "<b>Atlas Secure</b>", "the text's own markup stays")
	require.Equal(t, "<x>, 1 month", en.Plain("word.plan", i18n.Args{"tariff": "<x>", "period": "1 month"}), "plain stays plain")
	twice := en.HTML("support.contact", i18n.Args{"contact": en.HTML("support.contact", i18n.Args{"contact": "<x>"})})
	require.Contains(t, string(twice), "&lt;x&gt;", "HTML of ours is not escaped again")
}

func TestPlurals(t *testing.T) {
	t.Parallel()
	c := load(t)
	for count, want := range map[int]string{1: "1 месяц", 3: "3 месяца", 6: "6 месяцев", 12: "12 месяцев", 21: "21 месяц", 11: "11 месяцев"} {
		require.Equal(t, want, c.In(atlas.Russian).CountPlain("word.months", count))
	}
	require.Equal(t, "1 month", c.In(atlas.English).CountPlain("word.months", 1))
	require.Equal(t, "2 months", c.In(atlas.English).CountPlain("word.months", 2))
}

func TestWhatShouldNotHappenIsTold(t *testing.T) {
	t.Parallel()
	var told []error
	c, err := i18n.Load(func(err error) { told = append(told, err) })
	require.NoError(t, err)
	en := c.In("xx")
	require.Equal(t, atlas.Russian, en.Language(), "an unknown language is spoken to in the canonical one")
	en = c.In(atlas.English)

	require.Equal(t, "no.such_key", string(en.HTML("no.such_key")))
	require.Len(t, told, 1)
	_ = en.HTML("menu.text", i18n.Args{"nme": "x"})
	require.Len(t, told, 2, "an argument is missing")
	_ = en.HTML("button.menu")
	require.Len(t, told, 3, "plain as HTML")
	_ = en.Plain("menu.text", i18n.Args{"name": "x"})
	require.Len(t, told, 4, "HTML as plain")
	_ = en.HTML("menu.text", i18n.Args{"name": 3.5})
	require.Len(t, told, 5, "a type without a form")
	require.False(t, en.Has("no.such_key"))
	require.True(t, en.Has("menu.text"))
}
