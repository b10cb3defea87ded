package bot_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
	b.isInNoDialogue(t, boss)
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
	for number, each := range map[int][3]string{1: {"Попробовать бесплатно", "🎁 Попробовать бесплатно", "Пробный период"}, 2: {"Выбрать тариф", "🛒 Выбрать тариф", "Выберите тариф"}, 3: {"Без кнопки", "", ""}} {
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
			b.isInNoDialogue(t, boss)
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
		b.waitHandled(t)
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
