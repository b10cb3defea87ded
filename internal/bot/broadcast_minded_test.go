package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/sandbox/botapi/person"
)

// TestBroadcastByTwoAdmins: whoever is second sees who was first, and overrules nobody with what they saw before.
func TestBroadcastByTwoAdmins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	boss, chief := b.admin(t, "Boss", "en"), b.admin(t, "Chief", "en")
	_, err := b.db.Owner.Exec(b.ctx, `update account.account set username = 'the_' || telegram_id where telegram_id in ($1, $2)`, boss.ID, chief.ID)
	require.NoError(t, err)
	id := b.written(t, boss, "Title", "Maintenance", "we are back at six")
	card := fmt.Sprint("a_bc_card:", id)
	b.send(t, chief, "/admin")
	b.waitLast(t, chief, "Broadcasts running")
	b.forge(t, chief, b.lastMessage(t, chief).MessageID, card)
	var now [2]string
	admins := []*person.Person{boss, chief}
	for i, admin := range admins {
		b.press(t, admin, "🚀 Send …")
		b.press(t, admin, "In 1 hour")
		b.waitLast(t, admin, "Until then it can be paused")
		_, now[i] = b.button(t, admin, "Yes, send it then")
	}
	t.Log("they decided for slightly different times: one counts")
	var both errgroup.Group
	for i, admin := range admins {
		message := b.lastMessage(t, admin).MessageID
		both.Go(func() error { return b.tap(admin, message, now[i]) })
	}
	require.NoError(t, both.Wait())
	for _, admin := range admins {
		b.waitLast(t, admin, "⏰ Begins")
	}
	require.Equal(t, 1, b.count(t, `select count(*)::int from audit.entry where action = 'broadcast.start'`))
	first, second := boss, chief
	if b.count(t, `select moved_by::int from broadcast.broadcast`) != int(boss.ID) {
		first, second = chief, boss
	}

	t.Log("pause")
	pause := fmt.Sprint("a_bc_pause:", id)
	require.Equal(t, "Paused", b.forge(t, first, b.lastMessage(t, first).MessageID, pause).Text)
	require.Regexp(t, fmt.Sprint("^Already paused by @the_", first.ID, ", .* UTC$"), b.forge(t, second, b.lastMessage(t, second).MessageID, pause).Text)
	t.Log("what was decided before the pause starts nothing")
	for i, admin := range admins {
		answer := b.forge(t, admin, b.lastMessage(t, admin).MessageID, now[i])
		require.Contains(t, answer.Text, fmt.Sprint("Already paused by @the_", first.ID))
	}
	require.Equal(t, "paused", b.broadcastStatus(t, id))
	require.Equal(t, "It goes on", b.press(t, second, "Continue").Text)
	require.Contains(t, b.forge(t, first, b.lastMessage(t, first).MessageID, fmt.Sprint("a_bc_on:", id)).Text, "Already started by")

	t.Log("the end")
	b.press(t, first, "Cancel for good")
	b.waitLast(t, first, "It has reached 0; about 2 more would not get it")
	message, yes := b.button(t, first, "Yes, for good")
	b.forge(t, second, b.lastMessage(t, second).MessageID, yes)
	require.Equal(t, "running", b.broadcastStatus(t, id), "another's draft")
	require.Equal(t, "Ended for good", b.forge(t, first, message, yes).Text)
	require.Equal(t, "Ended for good", b.forge(t, first, message, yes).Text, "again")
	b.forge(t, second, b.lastMessage(t, second).MessageID, card)
	require.Contains(t, b.waitLast(t, second, "❌ Ended by").Text, fmt.Sprint("@the_", first.ID))
	for _, verb := range []string{"a_bc_pause:", "a_bc_on:", "a_bc_stop:"} {
		answer := b.forge(t, second, b.lastMessage(t, second).MessageID, fmt.Sprint(verb, id))
		require.Contains(t, answer.Text, fmt.Sprint("Already ended by @the_", first.ID))
	}
	require.Equal(t, 1, b.count(t, `select count(*)::int from audit.entry where action = 'broadcast.cancel'`))
}

// TestBroadcastTime types when one is to begin, and comes too late with a confirmation.
func TestBroadcastTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	boss := b.admin(t, "Босс", "ru")
	b.send(t, boss, "/admin")
	b.press(t, boss, "Рассылки")
	b.press(t, boss, "Новая рассылка")
	b.waitLast(t, boss, "Как назвать")
	b.send(t, boss, "Работы")
	b.waitLast(t, boss, "О чём она?")
	b.press(t, boss, "Технические работы")
	b.press(t, boss, "Один текст")
	b.waitLast(t, boss, "Напишите текст")
	b.send(t, boss, "Скоро вернёмся")
	b.waitLast(t, boss, "Кому она?")
	b.press(t, boss, "С действующей подпиской")
	b.press(t, boss, "К рассылке")
	m := b.waitLast(t, boss, "Работы (№ 1)")
	require.Contains(t, m.Text, "Сейчас в аудитории: 0 человек")
	b.press(t, boss, "Отправить…")
	b.waitLast(t, boss, "время московское")
	moscow, err := time.LoadLocation("Europe/Moscow")
	require.NoError(t, err)
	now := time.Now().In(moscow)
	for _, wrong := range []string{"<b>", "завтра", "25:00", "31.02 10:00", strings.Repeat("1", 4000)} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, "Такое время не подойдёт")
	}
	b.send(t, boss, now.Add(-time.Hour).Format("2.01.2006 15:04"))
	b.waitLast(t, boss, "Это время уже прошло")
	b.send(t, boss, now.AddDate(1, 0, 3).Format("2006-01-02 15:04"))
	b.waitLast(t, boss, "До этого времени больше года")
	p.stop()
	b.startBot(t)
	at := now.AddDate(0, 0, 9).Truncate(time.Minute)
	b.send(t, boss, at.Format("2.1.2006 15:04"))
	m = b.waitLast(t, boss, "До этого её можно приостановить")
	require.Contains(t, m.Text, at.Format("15:04")+" (МСК)")
	b.isInNoDialogue(t, boss)
	_, err = b.db.Owner.Exec(b.ctx, `update account.draft set drafted_at = drafted_at - interval '1 hour', expires_at = drafted_at`)
	require.NoError(t, err)
	require.Contains(t, b.press(t, boss, "Да, отправить в это время").Text, "Это подтверждение устарело")
	b.waitLast(t, boss, "Автор:")
	require.Equal(t, "draft", b.broadcastStatus(t, 1))

	b.press(t, boss, "Отправить…")
	b.waitLast(t, boss, "время московское")
	b.send(t, boss, at.Format("2.1 15:04"))
	b.waitLast(t, boss, "До этого её можно приостановить")
	require.Equal(t, "Рассылка начнётся в назначенное время", b.press(t, boss, "Да, отправить в это время").Text)
	m = b.waitLast(t, boss, "Начало:")
	require.Contains(t, m.Text, at.Format("15:04")+" (МСК)\nЗапустил(а)")
	require.Equal(t, 1, b.count(t, `select count(*)::int from broadcast.broadcast where status = 'running' and starts_at = $1`, at))
	b.press(t, boss, "Назад")
	b.press(t, boss, "⏰ Работы")
	b.press(t, boss, "Отменить совсем")
	b.press(t, boss, "Да, совсем")
	b.waitLast(t, boss, "Отменил(а)")
	for _, data := range []string{"a_bc_go:", "a_bc_go:1", "a_bc_in:1", "a_bc_in:1.2", "a_bc_in:x.1", "a_bc_list:x", "a_bc_list:draft.x", "a_bc_card:-1",
		"a_bc_see:1.b", "a_bc_see:1.c", "a_bc_kill:1", "a_bc_on:", "a_bc_seg:all", "a_bc_kind:x", "news:", "news:0"} {
		b.forge(t, boss, m.MessageID, data)
		require.NotContains(t, b.lastMessage(t, boss).Text, "записали", data)
	}
	b.forge(t, boss, m.MessageID, "a_bc_card:999")
	b.waitLast(t, boss, "Такой рассылки нет")
}

// TestBroadcastLists turns pages; a thrown-away draft is over.
func TestBroadcastLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	boss := b.admin(t, "Boss", "en")
	_, err := b.db.DBA.Exec(b.ctx, `select from generate_series(1, 19) n cross join lateral broadcast.compose(p_admin_id => $1,
		p_title => 'no. ' || n, p_kind => 'info', p_segment => 'all', p_text_a => 'x', p_text_b => null, p_offer => null,
		p_idempotency_key => n::text) c`, boss.ID)
	require.NoError(t, err)
	b.send(t, boss, "/admin")
	b.press(t, boss, "📣 Broadcasts")
	b.press(t, boss, "Being sent")
	b.waitLast(t, boss, "There are none.")
	b.press(t, boss, "Back")
	b.press(t, boss, "Drafts")
	has := func(labels ...string) {
		t.Helper()
		m := b.lastMessage(t, boss)
		for _, label := range labels {
			_, ok := person.FindButton(m, label)
			require.True(t, ok, "%s among %v", label, m.ReplyMarkup)
		}
	}
	has("no. 19", "no. 12", "Older")
	b.press(t, boss, "Older")
	has("no. 11", "no. 4", "Older", "To the beginning")
	b.press(t, boss, "Older")
	has("no. 3", "no. 1", "To the beginning")
	b.press(t, boss, "no. 2")
	b.press(t, boss, "Throw away")
	b.waitLast(t, boss, "Nobody has got it yet")
	b.press(t, boss, "Yes, for good")
	b.waitLast(t, boss, "❌ Ended by")
	b.press(t, boss, "Back")
	has("❌ no. 2: 0")
}

func TestTypedMoments(t *testing.T) {
	t.Parallel()
	moscow, err := time.LoadLocation("Europe/Moscow")
	require.NoError(t, err)
	now := time.Date(2026, 12, 31, 18, 30, 20, 0, moscow)
	for text, want := range map[string]time.Time{
		"18:31": time.Date(2026, 12, 31, 18, 31, 0, 0, moscow), " 18:30 ": time.Date(2027, 1, 1, 18, 30, 0, 0, moscow),
		"0:00": time.Date(2027, 1, 1, 0, 0, 0, 0, moscow), "31.12 23:59": time.Date(2026, 12, 31, 23, 59, 0, 0, moscow),
		"1.1 9:05": time.Date(2027, 1, 1, 9, 5, 0, 0, moscow), "01.02.2027, 10:00": time.Date(2027, 2, 1, 10, 0, 0, 0, moscow),
		"2027-02-01 10:00": time.Date(2027, 2, 1, 10, 0, 0, 0, moscow), "2027-02-01T10:00": time.Date(2027, 2, 1, 10, 0, 0, 0, moscow),
		"1.1.2020 10:00": time.Date(2020, 1, 1, 10, 0, 0, 0, moscow),
	} {
		got, err := bot.ParseMoment(text, now)
		require.NoError(t, err, text)
		require.True(t, want.Equal(got), "%s: %s", text, got)
	}
	for _, text := range []string{"", "now", "24:00", "12:60", "1230", "29.02.2027 10:00", "31.4 10:00", "0.1 10:00", "1.13 10:00", "1.1.27 10:00",
		"2027-02-01", "10:00 1.1", "-1:00", "١٨:٣٠", "18:30 UTC"} {
		_, err := bot.ParseMoment(text, now)
		require.Error(t, err, text)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	_, err = bot.ParseMoment("28.3.2027 2:30", now.In(berlin))
	require.Error(t, err, "the clock skips it")
}

// TestBroadcastTexts counts as Telegram does: an emoji is two.
func TestBroadcastTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", strings.Repeat("ы", 4096), strings.Repeat("🎁", 2048), "a\tb\nc"} {
		require.True(t, bot.IsBroadcastText(text), "%.10q", text)
	}
	for _, text := range []string{"", "\u200b\u2060", strings.Repeat("ы", 4097), strings.Repeat("🎁", 2048) + "x", "a\u0007b", "a\x00"} {
		require.False(t, bot.IsBroadcastText(text), "%.10q", text)
	}
}
