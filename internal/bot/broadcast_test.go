package bot_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/bot/notice"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/telegram"
	"atlas-secure/internal/worker"
	"atlas-secure/tests/harness"
)

// startBroadcasts runs the job that sends broadcasts.
func (b *bundle) startBroadcasts(t *testing.T) {
	t.Helper()
	db := b.openDB(t, harness.WorkerLogin)
	texts, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	log := obs.NewLogger(b.log, 0, "worker")
	limiter := limit.New(b.redisClient(t), "test:", limit.WithPatience(time.Minute))
	job := worker.Broadcast(db.Broadcast, notice.New(telegram.NewSender(b.client(t), limiter, log, telegram.WithLimits(fast())), texts), log)
	ctx, cancel := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() {
		batch := worker.Batch{Holder: worker.Holder(), Limit: 100, IsStopping: func() bool { return ctx.Err() != nil }}
		for ctx.Err() == nil {
			if _, err := job(ctx, batch); err != nil && ctx.Err() == nil {
				t.Errorf("worker: %v", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { cancel(); loop.Wait() })
}

// titled is an admin who has given a new broadcast its title.
func (b *bundle) titled(t *testing.T, admin *person.Person, title string) {
	t.Helper()
	b.send(t, admin, "/admin")
	b.waitLast(t, admin, "Broadcasts running")
	b.press(t, admin, "📣 Broadcasts")
	b.press(t, admin, "New broadcast")
	b.waitLast(t, admin, "What is it called?")
	b.send(t, admin, title)
	b.waitLast(t, admin, "What is it about?")
}

// written is an admin who has written a broadcast of one text to everybody, and sees its card. It gives its number.
func (b *bundle) written(t *testing.T, admin *person.Person, title, kind, text string) int {
	t.Helper()
	b.titled(t, admin, title)
	b.press(t, admin, kind)
	b.press(t, admin, "One text")
	b.waitLast(t, admin, "Type the text")
	b.send(t, admin, text)
	b.waitLast(t, admin, "Who is it for?")
	b.press(t, admin, "Everybody")
	b.waitLast(t, admin, text)
	b.press(t, admin, "To the broadcast")
	b.waitLast(t, admin, title)
	return b.count(t, `select max(broadcast_id)::int from broadcast.broadcast`)
}

func (b *bundle) broadcastStatus(t *testing.T, id int) string {
	t.Helper()
	var status string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select status::text from broadcast.broadcast where broadcast_id = $1`, id).Scan(&status))
	return status
}

// TestBroadcast writes one with two texts, with something wrong at every step, sees both as people will, sends it, and
// follows who got it and who pressed its button.
func TestBroadcast(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBroadcasts(t)
	anna, bert := b.started(t, "Anna", "en"), b.started(t, "Берт", "ru")
	gone := b.started(t, "Gone", "en")
	require.NoError(t, gone.Block(b.ctx))
	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	b.press(t, boss, "📣 Broadcasts")
	b.press(t, boss, "New broadcast")
	b.waitLast(t, boss, "What is it called?")
	for _, wrong := range []string{"\u200b", strings.Repeat("t", 129), "two\nlines", "a\u202eb", "a\u0000b"} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, "That cannot be a title.")
	}
	b.send(t, boss, "Sale <b>&")
	b.waitLast(t, boss, "What is it about?")
	b.send(t, boss, "promo")
	b.waitLast(t, boss, "What is it about?")
	b.press(t, boss, "🎁 Offer")
	b.waitLast(t, boss, "One text for everybody")
	b.send(t, boss, "two")
	b.waitLast(t, boss, "One text for everybody")
	b.press(t, boss, "Two texts")
	b.waitLast(t, boss, "Type text A")
	for _, wrong := range []string{"\u200b", "a\u0007b"} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, "That cannot be the text")
	}
	first, second := "First <i>text</i> &\n"+strings.Repeat("ы", 4000), strings.Repeat("🎁", 2048)
	b.send(t, boss, first)
	b.waitLast(t, boss, "And now text B")
	b.send(t, boss, second)
	b.waitLast(t, boss, "Who is it for?")
	b.send(t, boss, "all")
	b.waitLast(t, boss, "Who is it for?")
	require.Zero(t, b.count(t, `select count(*)::int from broadcast.broadcast`))
	b.press(t, boss, "Everybody")
	seen := map[string]string{"a": b.waitLast(t, boss, "First <i>").Text}
	require.Equal(t, "This button works in the message that people get.", b.press(t, boss, "Choose a plan").Text)
	b.press(t, boss, "Text B")
	seen["b"] = b.waitLast(t, boss, "🎁🎁").Text
	require.Equal(t, map[string]string{"a": first, "b": second}, seen, "nothing stands around them")
	b.press(t, boss, "To the broadcast")
	require.Empty(t, b.dialogue(t, boss), "it is over")
	m := b.waitLast(t, boss, "Sale <b>& (no. 1)")
	require.Contains(t, m.Text, "🎁 Offer · Everybody\nTwo texts against each other (A/B) · 🛒 Choose a plan")
	require.Contains(t, m.Text, "In the segment now: 3 people", "without who has blocked the bot")
	b.press(t, boss, "🚀 Send …")
	b.press(t, boss, "Now")
	m = b.waitLast(t, boss, "at once")
	require.Contains(t, m.Text, "🚀 Send “Sale <b>&”?")
	require.Equal(t, "draft", b.broadcastStatus(t, 1))
	require.Equal(t, "It is being sent", b.press(t, boss, "Yes, send it now").Text)
	b.waitCount(t, 1, `select count(*)::int from broadcast.broadcast where status = 'done'`)

	sides := map[string]int{}
	for _, p := range []*person.Person{anna, bert} {
		text := b.seesAny(t, p, first, second)
		require.Equal(t, 1, strings.Count(b.chat(t, p), "First <i>")+strings.Count(b.chat(t, p), second), "once")
		sides[text]++
	}
	for side, text := range map[string]string{"a": first, "b": second} { // the boss has seen both before
		sides[text] += b.count(t, `select count(*)::int from broadcast.recipient where telegram_id = $1 and variant = $2`, boss.ID, side)
	}
	require.NotContains(t, b.chat(t, gone), "First")
	b.press(t, anna, "Choose a plan")
	b.waitLast(t, anna, "Choose a plan")
	b.seesAny(t, anna, first, second) // it still stands there
	b.forge(t, anna, b.lastMessage(t, anna).MessageID, "news:1")
	late := b.started(t, "Late", "en")
	require.Contains(t, b.forge(t, late, b.lastMessage(t, late).MessageID, "news:1").Text, "earlier version", "who did not get it")
	b.send(t, boss, "/admin")
	b.press(t, boss, "📣 Broadcasts")
	b.press(t, boss, "Over")
	b.press(t, boss, "✅ Sale <b>&: 3")
	m = b.waitLast(t, boss, "✅ Over")
	require.Contains(t, m.Text, fmt.Sprintf("Reached: 3\nText A: %d, text B: %d\n", sides[first], sides[second]))
	require.Regexp(t, `Pressed the button: (1 under text A, 0|0 under text A, 1) under text B`, m.Text)
	require.Contains(t, m.Text, "Have blocked the bot: 0\nRefused by Telegram: 0\nNot known whether it arrived: 0")
	b.reconciled(t)
}

// seesAny waits for one of two texts.
func (b *bundle) seesAny(t *testing.T, p *person.Person, texts ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	m, err := p.WaitMessage(ctx, func(m botapi.ChatMessage) bool { return m.Text == texts[0] || m.Text == texts[1] })
	require.NoError(t, err)
	return m.Text
}

// TestBroadcastOffer is the short cut to people without a subscription, in Russian, with the two buttons.
func TestBroadcastOffer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBroadcasts(t)
	boss := b.admin(t, "Босс", "ru")
	for number, each := range map[int][3]string{1: {"Попробовать бесплатно", "🎁 Попробовать бесплатно", "Atlas Secure"}, 2: {"Выбрать тариф", "🛒 Выбрать тариф", "Выберите тариф"}, 3: {"Без кнопки", "", ""}} {
		anna := b.started(t, fmt.Sprint("Анна", number), "ru")
		b.send(t, boss, "/admin")
		b.press(t, boss, "Рассылки")
		b.press(t, boss, "Предложение тем, кто без подписки")
		b.waitLast(t, boss, "Напишите текст")
		b.send(t, boss, "\u200b")
		b.waitLast(t, boss, "Такой текст не подойдёт")
		text := fmt.Sprint("Предложение № ", number)
		b.send(t, boss, text)
		b.waitLast(t, boss, "Куда должна вести кнопка")
		b.send(t, boss, "никуда")
		b.waitLast(t, boss, "Куда должна вести кнопка")
		b.press(t, boss, each[0])
		b.waitLast(t, boss, text)
		b.press(t, boss, "К рассылке")
		m := b.waitLast(t, boss, "Предложение тем, кто без подписки")
		require.Contains(t, m.Text, "🎁 Предложение · Без подписки\nОдин текст · ")
		b.press(t, boss, "Отправить…")
		b.press(t, boss, "Сейчас")
		b.press(t, boss, "Да, отправить сейчас")
		m = b.sees(t, anna, text)
		if each[1] == "" {
			_, isOffered := person.FindButton(m, "🛒 Выбрать тариф")
			require.False(t, isOffered)
			continue
		}
		b.press(t, anna, each[1])
		b.waitLast(t, anna, each[2])
		b.sees(t, anna, text)
	}
}

// TestBroadcastIsLeft leaves the dialogues at every step; what was pressed or typed then means nothing any more.
func TestBroadcastIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	boss := b.admin(t, "Boss", "en")
	steps := []struct {
		do   func()
		asks string
	}{
		{func() { b.forge(t, boss, b.lastMessage(t, boss).MessageID, "a_broadcast_new") }, "What is it called?"},
		{func() { b.send(t, boss, "Title") }, "What is it about?"},
		{func() { b.press(t, boss, "News") }, "One text for everybody"},
		{func() { b.press(t, boss, "Two texts") }, "Type text A"},
		{func() { b.send(t, boss, "first") }, "And now text B"},
		{func() { b.send(t, boss, "second") }, "Who is it for?"},
	}
	leave := map[string]func(){
		"/start": func() { b.send(t, boss, "/start"); b.waitLast(t, boss, "Atlas Secure") },
		"button": func() { b.press(t, boss, "Never mind"); b.waitLast(t, boss, "One message for many people") },
	}
	for name, out := range leave {
		for last := range steps {
			t.Log(name, "at step", last)
			for _, s := range steps[:last+1] {
				s.do()
				b.waitLast(t, boss, s.asks)
			}
			before := b.lastMessage(t, boss)
			out()
			require.Empty(t, b.dialogue(t, boss))
			b.send(t, boss, "anything")
			b.waitLast(t, boss, "I understand buttons and commands")
			for _, label := range []string{"News", "Two texts", "Everybody"} {
				if button, ok := person.FindButton(before, label); ok {
					b.forge(t, boss, before.MessageID, button.CallbackData)
					b.sees(t, boss, "Let us start again")
				}
			}
		}
	}
	require.Zero(t, b.count(t, `select count(*)::int from broadcast.broadcast`))
}

// TestBroadcastByBotsThatDie has another bot answer at every step, and every answer get lost once, so that each update is
// worked off twice. One broadcast comes of it, started once.
func TestBroadcastByBotsThatDie(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Broadcasts running")
	for _, s := range []struct{ press, send, asks string }{
		{press: "📣 Broadcasts", asks: "One message for many people"}, {press: "New broadcast", asks: "What is it called?"},
		{send: "Title", asks: "What is it about?"}, {press: "Security", asks: "One text for everybody"},
		{press: "Two texts", asks: "Type text A"}, {send: "first text", asks: "And now text B"},
		{send: "second text", asks: "Who is it for?"}, {press: "Everybody", asks: "first text"},
		{press: "To the broadcast", asks: "Written by"}, {press: "🚀 Send …", asks: "When is “Title” to begin?"},
		{press: "In 3 hours", asks: "Until then it can be paused"}, {press: "Yes, send it then", asks: "⏰ Begins"},
	} {
		p.stop()
		p = b.startBot(t)
		require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "editMessageText", Action: botapi.FaultDrop, Count: 3}))
		require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "sendMessage", Action: botapi.FaultDrop, Count: 1}))
		if s.send != "" {
			b.send(t, boss, s.send)
		} else {
			b.press(t, boss, s.press)
		}
		b.waitCount(t, 0, `select count(*)::int from inbox.update where finished_at is null`)
		require.NoError(t, b.people.ClearFaults(b.ctx))
		b.waitLast(t, boss, s.asks)
	}
	require.Equal(t, 1, b.count(t, `select count(*)::int from broadcast.broadcast
		where text_a = 'first text' and text_b = 'second text' and offer = 'key' and status = 'running'
		and starts_at between core.now() + interval '2 hours 50 minutes' and core.now() + interval '3 hours'`))
	require.Equal(t, 1, b.count(t, `select count(*)::int from broadcast.broadcast`))
	require.Equal(t, 2, b.count(t, `select count(*)::int from audit.entry where action in ('broadcast.prepare', 'broadcast.start')`))
	require.Equal(t, 2, b.count(t, `select max(attempt)::int from inbox.update`), "updates were worked off twice")
}

// TestBroadcastOnTwoDevices: both see the same buttons and press them at once.
func TestBroadcastOnTwoDevices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	boss := b.admin(t, "Boss", "en")
	b.titled(t, boss, "Title")
	together := func(label, asks string) {
		m := b.lastMessage(t, boss)
		button, ok := person.FindButton(m, label)
		require.True(t, ok, label)
		b.together(t, boss, m.MessageID, button.CallbackData)
		b.waitLast(t, boss, asks)
	}
	together("News", "One text for everybody")
	together("One text", "Type the text")
	b.send(t, boss, "the text")
	b.waitLast(t, boss, "Who is it for?")
	segments := b.lastMessage(t, boss)
	together("Everybody", "the text")
	require.Equal(t, 1, b.count(t, `select count(*)::int from broadcast.broadcast`))
	other, ok := person.FindButton(segments, "Without a subscription")
	require.True(t, ok)
	b.forge(t, boss, segments.MessageID, other.CallbackData)
	b.waitLast(t, boss, "the text") // what was written first
	b.send(t, boss, "more")
	b.waitLast(t, boss, "the text")
	b.forge(t, boss, b.lastMessage(t, boss).MessageID, "a_bc_card:1")
	b.press(t, boss, "🚀 Send …")
	together("Now", "at once")
	together("Yes, send it now", "▶️ Being sent")
	require.Equal(t, 1, b.count(t, `select count(*)::int from audit.entry where action = 'broadcast.start'`))
	require.Equal(t, 1, b.count(t, `select count(*)::int from broadcast.broadcast`))
}

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
	require.Eventually(t, func() bool { return b.dialogue(t, boss) == "" }, patience, poll)
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
