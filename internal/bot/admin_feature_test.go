package bot_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi/person"
)

// TestFeatureSwitches moves switches in both languages, with the actions of admins switched off, too.
func TestFeatureSwitches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	isOn := func(name string) int {
		return b.count(t, `select is_on::int from ops.feature where name = $1`, name)
	}
	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	b.sees(t, boss, "Withdrawals waiting")
	b.press(t, boss, "Switches")
	m := b.waitLast(t, boss, "They work at once")
	require.Contains(t, m.Text, "✅ trials: on\n")

	b.press(t, boss, "✅ trials")
	b.waitLast(t, boss, "Off: nobody can begin a trial")
	b.press(t, boss, "Switch off…")
	ask := b.waitLast(t, boss, "Switch off trials?")
	require.Equal(t, 1, isOn("trials"), "not before it is confirmed")
	require.Equal(t, "Switched off: trials", b.press(t, boss, "Yes, switch off").Text)
	m = b.waitLast(t, boss, "They work at once")
	require.Regexp(t, `⛔ trials: off since .+, by `+strconv.FormatInt(boss.ID, 10)+`\n`, m.Text)
	require.Zero(t, isOn("trials"))
	b.forge(t, boss, ask.MessageID, "a_feature_off:trials")
	require.Equal(t, 1, b.count(t, `select count(*) from audit.entry where action = 'ops.set_feature'`), "once more is the same as once")
	b.forge(t, boss, ask.MessageID, "a_feature_ask:trials")
	_, ok := person.FindButton(b.waitLast(t, boss, "⛔ trials: off since"), "Switch on")
	require.True(t, ok, "it is off already: nothing to ask")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Switched off: trials")

	t.Log("with the actions of admins off")
	b.forge(t, boss, ask.MessageID, "a_feature_off:admin_actions")
	require.Zero(t, isOn("admin_actions"))
	b.forge(t, boss, ask.MessageID, "a_feature_on:trials")
	b.forge(t, boss, ask.MessageID, "a_feature_on:admin_actions")
	require.Equal(t, 2, isOn("trials")+isOn("admin_actions"))

	for _, data := range []string{"a_feature:nothing", "a_feature_ask:", "a_feature_off:nothing", "a_feature_on:", "a_feature_on:TRIALS"} {
		require.Contains(t, b.forge(t, boss, ask.MessageID, data).Text, "earlier", data)
	}

	ru := b.admin(t, "Шеф", "ru")
	b.send(t, ru, "/admin")
	b.sees(t, ru, "Выводов ждёт")
	b.press(t, ru, "Переключатели")
	b.waitLast(t, ru, "Действуют сразу")
	b.press(t, ru, "✅ рассылки")
	b.press(t, ru, "Выключить…")
	b.press(t, ru, "Да, выключить")
	m = b.waitLast(t, ru, "Действуют сразу")
	require.Regexp(t, `⛔ рассылки: выключено с .+, кто: `+strconv.FormatInt(ru.ID, 10), m.Text)
	require.Zero(t, isOn("broadcasts"))
}
