package bot_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/redisdb"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/telegram"
)

func TestTheSameUpdateTwiceIsHandledOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.credit(t, bob, 1000)
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "update", Action: "duplicate", Count: 1}))
	b.press(t, bob, "1 month — 149 ₽")
	b.sees(t, bob, "To pay: 149 ₽")
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "update", Action: "duplicate", Count: 1}))
	b.send(t, bob, "/help")
	b.sees(t, bob, "What this bot can do")
	b.send(t, bob, "/info")
	b.sees(t, bob, "VLESS + REALITY")
	require.Equal(t, 1, b.count(t, `select count(*)::int from billing.purchase`))
	require.Equal(t, 1, strings.Count(b.chat(t, bob), "What this bot can do"))
}

func TestT14AnEditedMessageIsNotExecutedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	sent, err := bob.Send(b.ctx, "/help")
	require.NoError(t, err)
	b.sees(t, bob, "What this bot can do")
	require.NoError(t, bob.Edit(b.ctx, sent.MessageID, "/privacy"))
	// A forger can still post one: it is taken in, and nothing comes of it.
	_, err = bob.Update(b.ctx, "edited_message", map[string]any{
		"message_id": sent.MessageID, "date": 1, "text": "/privacy", "chat": map[string]any{"id": bob.ID, "type": "private"},
		"from": map[string]any{"id": bob.ID, "is_bot": false, "first_name": "Bob"},
	})
	require.NoError(t, err)
	b.send(t, bob, "/info")
	b.sees(t, bob, "VLESS + REALITY")
	require.NotContains(t, b.chat(t, bob), "What we keep")
}

func TestT9ButtonsOfOthersDoNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob, eve := b.started(t, "Bob", "en"), b.started(t, "Eve", "en")
	b.credit(t, bob, 1000)
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month")
	m := b.sees(t, bob, "To pay: 149 ₽")
	pay, ok := person.FindButton(m, "Pay from the balance")
	require.True(t, ok)
	before := b.chat(t, bob)

	t.Log("Eve presses Bob's button, under Bob's message")
	_, err := eve.Tap(b.ctx, person.Tap{MessageID: m.MessageID, Data: pay.CallbackData, Forged: true, Owner: bob.ID})
	require.NoError(t, err)
	b.waitCount(t, 1, `select count(*)::int from audit.entry where action = 'refused.bot.foreign_press' and actor_id = $1`, eve.ID)

	t.Log("Eve sends what Bob's button says, under a message of her own")
	own := b.sees(t, eve, "Atlas Secure")
	id, err := eve.Tap(b.ctx, person.Tap{MessageID: own.MessageID, Data: pay.CallbackData, Forged: true})
	require.NoError(t, err)
	answer, err := eve.Answer(b.ctx, id)
	require.NoError(t, err)
	require.True(t, answer.IsAnswered)
	b.sees(t, eve, "This purchase was not found")
	b.waitCount(t, 1, `select count(*)::int from audit.entry where action = 'refused.billing.pay_from_balance' and actor_id = $1`, eve.ID)

	t.Log("a button in a group")
	_, err = bob.Update(b.ctx, "callback_query", map[string]any{
		"id": "1", "chat_instance": "1", "data": pay.CallbackData,
		"from": map[string]any{"id": bob.ID, "is_bot": false, "first_name": "Bob"},
		"message": map[string]any{
			"message_id": 1, "date": 1, "text": "x", "chat": map[string]any{"id": -100123, "type": "supergroup", "title": "g"},
		},
	})
	require.NoError(t, err)
	b.waitCount(t, 1, `select count(*)::int from audit.entry where action = 'refused.bot.foreign_press' and actor_id = $1`, bob.ID)

	t.Log("a button under a message that was forwarded, or sent by way of the bot: Telegram names no chat with it")
	_, err = eve.Update(b.ctx, "callback_query", map[string]any{
		"id": "2", "chat_instance": "1", "data": pay.CallbackData, "inline_message_id": "forwarded",
		"from": map[string]any{"id": eve.ID, "is_bot": false, "first_name": "Eve"},
	})
	require.NoError(t, err)
	b.waitCount(t, 2, `select count(*)::int from audit.entry where action = 'refused.bot.foreign_press' and actor_id = $1`, eve.ID)
	require.Equal(t, before, b.chat(t, bob), "nobody has touched Bob's chat")
	require.Zero(t, b.count(t, `select count(*)::int from ledger.transfer where reason = 'purchase'`))
}

// TestABotIsNobody: what a bot says or presses is not done and not answered, in a private chat either, and it is not registered.
func TestABotIsNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	robot, bob := b.person(t, "Robot", "en"), b.started(t, "Bob", "en")
	from := map[string]any{"id": robot.ID, "is_bot": true, "first_name": "Robot"}
	message := map[string]any{
		"message_id": 1, "date": 1, "text": "/start", "chat": map[string]any{"id": robot.ID, "type": "private"}, "from": from,
	}
	_, err := robot.Update(b.ctx, "message", message)
	require.NoError(t, err)
	_, err = robot.Update(b.ctx, "callback_query", map[string]any{
		"id": "1", "chat_instance": "1", "data": "menu", "from": from, "message": message,
	})
	require.NoError(t, err)
	b.waitCount(t, 1, `select count(*)::int from audit.entry where action = 'refused.bot.foreign_press' and actor_id = $1`, robot.ID)

	t.Log("one that is known as a person is refused as well")
	from["id"] = bob.ID
	message["chat"] = map[string]any{"id": bob.ID, "type": "private"}
	before := b.chat(t, bob)
	_, err = bob.Update(b.ctx, "callback_query", map[string]any{
		"id": "2", "chat_instance": "1", "data": "language:ru", "from": from, "message": message,
	})
	require.NoError(t, err)
	b.waitCount(t, 1, `select count(*)::int from audit.entry where action = 'refused.bot.foreign_press' and actor_id = $1`, bob.ID)
	b.waitHandled(t)
	require.Equal(t, before, b.chat(t, bob))
	require.Zero(t, b.count(t, `select count(*)::int from account.account where telegram_id = $1`, robot.ID))
	require.Zero(t, b.count(t, `select count(*)::int from account.account where telegram_id = $1 and language = 'ru'`, bob.ID))
}

func TestT8OldAndForgedButtonsAreAnsweredPolitely(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	m := b.sees(t, bob, "Atlas Secure")
	for _, data := range []string{
		"v0_buy_basic_149", "pay:", "pay:1", "plan:basic", "plan:basic.1", "plan:00000000-0000-0000-0000-000000000000",
		"tariff:plus", "tariff:", "preset:9", "preset:-1", "preset:x",
		"language:xx", "guide:amiga", "history:0", "history:x", "show:00000000-0000-0000-0000", "\u0000", strings.Repeat("я", 32),
	} {
		id, err := bob.Tap(b.ctx, person.Tap{MessageID: m.MessageID, Data: data, Forged: true})
		require.NoError(t, err, data)
		answer, err := bob.Answer(b.ctx, id)
		require.NoError(t, err)
		require.Contains(t, answer.Text, "from an earlier version", data)
	}
	for data, text := range map[string]string{
		"show:00000000-0000-0000-0000-000000000000": "This purchase was not found",
	} {
		_, err := bob.Tap(b.ctx, person.Tap{MessageID: m.MessageID, Data: data, Forged: true})
		require.NoError(t, err)
		b.sees(t, bob, text)
	}
}

func TestT12HostileNamesAndTexts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	for _, name := range []string{
		`<b>Bobby</b> & "co"`, "\u202eevil\u202c", strings.Repeat("😀", 60), "{{.name}} %s", "<a href=\"tg://user?id=1\">x</a>", "&amp;lt;", "\u200b",
	} {
		p := b.person(t, name, "en")
		b.send(t, p, "/start")
		b.press(t, p, "English")
		m := b.sees(t, p, "Atlas Secure")
		require.NotContains(t, m.Text, "\u202e")
		for _, entity := range m.Entities {
			require.NotEqual(t, "text_link", entity.Type, name)
		}
		b.send(t, p, "/start "+strings.Repeat("x", 300))
		b.send(t, p, "/start <script>")
		b.send(t, p, "<b>"+strings.Repeat("я", 4000))
		b.sees(t, p, "I understand buttons and commands")
	}
	require.NotContains(t, b.log.String(), `"level":"ERROR"`)
}

func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	bob := b.started(t, "Bob", "en")
	b.credit(t, bob, 1000)
	b.press(t, bob, "Profile")
	b.press(t, bob, "Top up")
	b.press(t, bob, "Another amount")
	b.sees(t, bob, "Type an amount")
	b.redis.SetError("LOADING Redis is loading the dataset in memory")
	b.send(t, bob, "500")
	b.sees(t, bob, "I have lost the thread")
	b.press(t, bob, "Main menu")
	b.press(t, bob, "Profile")
	b.press(t, bob, "Top up")
	b.press(t, bob, "Another amount")
	b.sees(t, bob, "I cannot take anything typed right now")
	b.press(t, bob, "Back")
	b.press(t, bob, "750 ₽")
	b.sees(t, bob, "Top-up of 750 ₽")
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month")
	b.press(t, bob, "Pay from the balance")
	b.sees(t, bob, "Your key is ready!")
	b.redis.SetError("")
	require.Eventually(t, func() bool {
		b.send(t, bob, "/profile")
		b.press(t, bob, "Top up")
		b.press(t, bob, "Another amount")
		view, err := bob.Chat(b.ctx)
		return err == nil && strings.Contains(view.Messages[len(view.Messages)-1].Text, "Type an amount")
	}, 2*time.Minute, 200*time.Millisecond, "it comes back without a restart")
}

// TestAnUpdateWaitsForRedisOnce: Redis takes every question and answers none. What an update asks there shares one time.
func TestAnUpdateWaitsForRedisOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.send(t, bob, "/profile")
	b.press(t, bob, "Top up")
	first.stop()

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	redisClient := redis.NewClient(&redis.Options{Addr: silent.Addr().String(), MaxRetries: -1, ContextTimeoutEnabled: true, DialTimeout: time.Minute, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = redisClient.Close() })
	const limited = 3 * time.Second
	patient, err := redisdb.NewPatience(redisdb.PatienceOptions{Limit: limited, Failures: 1000})
	require.NoError(t, err)
	b.startBot(t, func(p *bot.Parts) {
		p.Limiter = limit.New(redisClient, "test:", limit.Sharing(patient))
		p.Dialogues = dialogue.New(redisClient, "test:", dialogue.DefaultTTL, dialogue.Sharing(patient))
		p.Sender = telegram.NewSender(p.Client, p.Limiter, p.Log, telegram.WithLimits(fast()))
	})
	pressed := time.Now()
	b.press(t, bob, "Another amount")
	took := time.Since(pressed)
	t.Log(took)
	require.GreaterOrEqual(t, took, limited, "Redis was not waited for")
	require.Less(t, took, 2*limited)
}

func TestADialogueIsLeftByCommandsAndButtons(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	for _, leave := range []func(){
		func() { b.send(t, bob, "/start"); b.sees(t, bob, "Atlas Secure") },
		func() { b.press(t, bob, "Back") },
		func() { b.send(t, bob, "/help"); b.sees(t, bob, "What this bot can do") },
	} {
		b.send(t, bob, "/profile")
		b.waitLast(t, bob, "Subscription: none")
		b.press(t, bob, "Top up")
		b.waitLast(t, bob, "Choose an amount")
		b.press(t, bob, "Another amount")
		b.waitLast(t, bob, "Type an amount")
		leave()
		b.send(t, bob, "500")
		b.waitLast(t, bob, "I understand buttons and commands")
	}
	require.Zero(t, b.count(t, `select count(*)::int from billing.purchase`))
}

func TestWhoBlocksTheBotIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	isReachable := `select count(*)::int from account.account where telegram_id = $1 and is_reachable`
	require.NoError(t, bob.Block(b.ctx))
	b.waitCount(t, 0, isReachable, bob.ID)
	require.NoError(t, bob.Unblock(b.ctx))
	b.waitCount(t, 1, isReachable, bob.ID)

	t.Log("the bot learns it from a 403")
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{
		Method: "sendMessage", Action: "error", Code: 403, Description: "Forbidden: bot was blocked by the user",
	}))
	b.send(t, bob, "/help")
	b.waitCount(t, 0, isReachable, bob.ID)
	b.send(t, bob, "hello again")
	b.waitCount(t, 1, isReachable, bob.ID)
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.person(t, "Bob", "en")
	b.send(t, bob, "/start")
	first := b.sees(t, bob, "Choose your language")
	require.Contains(t, first.Text, "Выберите язык")
	_, hasBack := person.FindButton(first, "Back")
	require.False(t, hasBack)
	b.press(t, bob, "English")
	b.send(t, bob, "/language")
	b.press(t, bob, "Русский")
	b.sees(t, bob, "быстрый и незаметный VPN")
	b.send(t, bob, "/start")
	b.waitLast(t, bob, "быстрый и незаметный VPN")
	view, err := bob.Chat(b.ctx)
	require.NoError(t, err)
	commands := map[string]string{}
	for _, c := range view.Commands {
		commands[c.Command] = c.Description
	}
	require.Equal(t, "Buy or renew VPN", commands["buy"])

	t.Log("somebody unknown presses a button before any /start")
	eve := b.person(t, "Eve", "de")
	b.send(t, eve, "/help")
	b.sees(t, eve, "What this bot can do")
	b.send(t, eve, "/start")
	b.sees(t, eve, "Choose your language")
}
