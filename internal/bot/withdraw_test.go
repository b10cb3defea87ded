package bot_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sandbox/botapi/person"
)

// card is where the tests withdraw to, with a canary in it that must not be found anywhere.
const card = "Sber 2200 7007 CANARY 4321"

// rich is somebody with 1 399 roubles who stands at the first question of a withdrawal.
func (b *bundle) rich(t *testing.T, name string) *person.Person {
	t.Helper()
	p := b.started(t, name, "en")
	b.credit(t, p, 1399)
	b.send(t, p, "/profile")
	b.press(t, p, "Withdraw")
	b.press(t, p, "Request a withdrawal")
	b.waitLast(t, p, "How much? Type an amount in roubles, from 500 ₽. 1 399 ₽ is on your balance.")
	return p
}

// askAgain asks for the amount, whatever stands in the chat.
func (b *bundle) askAgain(t *testing.T, p *person.Person) {
	t.Helper()
	b.forge(t, p, b.lastMessage(t, p).MessageID, "withdraw_ask")
	b.waitLast(t, p, "How much?")
}

// drafted takes somebody to the first confirmation of 600 roubles, and gives the button's data.
func (b *bundle) drafted(t *testing.T, p *person.Person) string {
	t.Helper()
	b.send(t, p, "600")
	b.waitLast(t, p, "Where should the money go?")
	b.send(t, p, card)
	m := b.waitLast(t, p, "Please check")
	button, ok := person.FindButton(m, "That is right")
	require.True(t, ok)
	return button.CallbackData
}

func (b *bundle) held(t *testing.T, p *person.Person) int {
	t.Helper()
	return b.count(t, `select held_kopecks::int from wallet.wallet where telegram_id = $1`, p.ID)
}

// dialogue is what Redis keeps of somebody.
func (b *bundle) dialogue(t *testing.T, p *person.Person) string {
	t.Helper()
	text, _ := b.redis.Get(fmt.Sprintf("test:dialogue:{%d}", p.ID))
	return text
}

// isInNoDialogue waits until all that was done is handled to its end: a dialogue is forgotten after the last answer.
func (b *bundle) isInNoDialogue(t *testing.T, p *person.Person) {
	t.Helper()
	b.waitHandled(t)
	require.Empty(t, b.dialogue(t, p))
}

// nowhere looks for a word in everything that the database and Redis keep, and in the log.
func (b *bundle) nowhere(t *testing.T, word string) {
	t.Helper()
	var found []string
	rows, err := b.db.Owner.Query(b.ctx, `select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname !~ '^pg_|^information_schema$'`)
	require.NoError(t, err)
	var tables []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(t, rows.Err())
	require.Greater(t, len(tables), 20)
	for _, table := range tables {
		if b.count(t, "select count(*)::int from "+table+" x where x::text like '%' || $1 || '%'", word) > 0 {
			found = append(found, table)
		}
	}
	require.Empty(t, found, "%q is in these tables", word)
	require.NotContains(t, b.redis.Dump(), word)
	require.NotContains(t, b.log.String(), word)
}

// TestWithdrawal takes money out with something wrong at every step, and sees that the requisites are nowhere in the
// clear: not while they wait in the inbox, not in Redis, not in the draft, not in a log.
func TestWithdrawal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.rich(t, "Bob")
	for wrong, answer := range map[string]string{
		"all of it": "That is no amount I can use", "-600": "That is no amount I can use", "1e3": "That is no amount I can use",
		"499,99":   "That is too little: withdrawals begin at 500 ₽",
		"1399.01":  "That is more than can be withdrawn: 1 399 ₽ is on your balance",
		"99999999": "That is more than can be withdrawn",
	} {
		b.send(t, bob, wrong)
		b.waitLast(t, bob, answer)
	}
	b.send(t, bob, "1 100,50 ₽")
	b.waitLast(t, bob, "1 100.50 ₽; 298.50 ₽ would stay on the balance")
	for _, wrong := range []string{"1234", strings.Repeat("7", 257), "card\u0007 12345"} {
		b.send(t, bob, wrong)
		b.waitLast(t, bob, "That cannot be requisites")
	}
	b.nowhere(t, "7777777")
	b.send(t, bob, card)
	m := b.waitLast(t, bob, "Please check")
	require.Contains(t, m.Text, "Amount: 1 100.50 ₽\nTo: ••••4321\n")
	b.nowhere(t, "CANARY")
	require.NotContains(t, b.dialogue(t, bob), "amount", "from here on the amount is in the database only")
	require.Zero(t, b.held(t, bob))

	t.Log("words where a button is waited for")
	b.send(t, bob, "yes")
	b.waitLast(t, bob, "To: ••••4321")
	b.press(t, bob, "That is right")
	b.waitLast(t, bob, "Withdraw 1 100.50 ₽?")
	b.send(t, bob, "yes, please")
	b.waitLast(t, bob, "Withdraw 1 100.50 ₽?")
	require.Zero(t, b.held(t, bob))
	answer := b.press(t, bob, "✅ Withdraw")
	require.Equal(t, "Requested: the amount is on hold", answer.Text)
	m = b.waitLast(t, bob, "waiting for an admin")
	require.Contains(t, m.Text, "Balance: 298.50 ₽")
	require.Contains(t, m.Text, "1 100.50 ₽")
	require.Equal(t, 110050, b.held(t, bob))
	b.nowhere(t, "CANARY")
	b.isInNoDialogue(t, bob)

	t.Log("the admin can read them")
	var sealed string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select requisites from withdrawal.withdrawal`).Scan(&sealed))
	words, err := sealer(t).Open(requisites.Sealed(sealed))
	require.NoError(t, err)
	require.Equal(t, card, words.Reveal())

	t.Log("one at a time, and it can be taken back")
	_, hasAsk := person.FindButton(m, "Request a withdrawal")
	require.False(t, hasAsk)
	taken := b.press(t, bob, "Take the request back")
	require.Equal(t, "Cancelled", taken.Text)
	b.waitLast(t, bob, "taken back")
	require.Zero(t, b.held(t, bob))
	b.press(t, bob, "Back")
	b.waitLast(t, bob, "Balance: 1 399 ₽")
}

// TestWithdrawalIsLeft leaves at every step; what was pressed or typed then means nothing any more.
func TestWithdrawalIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.rich(t, "Bob")
	leave := map[string]func(){
		"/start": func() { b.send(t, bob, "/start"); b.waitLast(t, bob, "Atlas Secure") },
		"button": func() { b.press(t, bob, "Never mind"); b.waitLast(t, bob, "one at a time") },
	}
	for name, out := range leave {
		for steps := range 4 {
			t.Log(name, "after step", steps)
			b.askAgain(t, bob)
			if steps > 0 {
				b.send(t, bob, "600")
				b.waitLast(t, bob, "Where should the money go?")
			}
			if steps > 1 {
				b.send(t, bob, card)
				b.waitLast(t, bob, "Please check")
			}
			if steps > 2 {
				b.press(t, bob, "That is right")
				b.waitLast(t, bob, "Withdraw 600 ₽?")
			}
			before := b.lastMessage(t, bob)
			out()
			b.isInNoDialogue(t, bob)
			b.send(t, bob, "600")
			b.waitLast(t, bob, "I understand buttons and commands")
			for _, label := range []string{"That is right", "✅ Withdraw"} {
				if button, ok := person.FindButton(before, label); ok {
					b.forge(t, bob, before.MessageID, button.CallbackData)
					b.sees(t, bob, "Let us start again")
				}
			}
		}
	}
	require.Zero(t, b.count(t, `select count(*)::int from withdrawal.withdrawal`))
	require.Zero(t, b.held(t, bob))
}

// TestWithdrawalOnTwoDevices: both see the same buttons and press them at once. One goes on, the other sees where things
// stand, and there is one request.
func TestWithdrawalOnTwoDevices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	bob := b.rich(t, "Bob")
	confirm := b.drafted(t, bob)
	m := b.lastMessage(t, bob)
	b.together(t, bob, m.MessageID, confirm)
	final := b.waitLast(t, bob, "Withdraw 600 ₽?")
	submit, ok := person.FindButton(final, "✅ Withdraw")
	require.True(t, ok)
	b.together(t, bob, final.MessageID, submit.CallbackData)
	b.waitLast(t, bob, "waiting for an admin")
	b.together(t, bob, final.MessageID, confirm)
	b.waitLast(t, bob, "waiting for an admin")
	require.NotContains(t, b.chat(t, bob), "start again")
	require.Equal(t, 60000, b.held(t, bob))
	require.Equal(t, 1, b.count(t, `select count(*)::int from withdrawal.withdrawal`))
}

// TestT2CallbackBeforeTheMessage: a press of a later step comes before the words that lead to it. The draft of that step
// is another one's, or nobody's; what was asked is asked again from the beginning, and no money moves.
func TestT2CallbackBeforeTheMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.rich(t, "Bob")
	confirm := b.drafted(t, bob)
	id := strings.TrimPrefix(confirm, "withdraw_ok:")
	m := b.lastMessage(t, bob)
	t.Log("the last confirmation before the first")
	b.forge(t, bob, m.MessageID, "withdraw_yes:"+id)
	b.waitLast(t, bob, "To: ••••4321")
	t.Log("a button of the last step while the amount is asked for")
	b.press(t, bob, "Never mind")
	b.press(t, bob, "Request a withdrawal")
	asked := b.waitLast(t, bob, "How much?")
	b.forge(t, bob, asked.MessageID, "withdraw_yes:"+id)
	b.waitLast(t, bob, "Let us start again")
	b.send(t, bob, "600")
	b.waitLast(t, bob, "I understand buttons and commands")
	for _, data := range []string{"withdraw_yes:", "withdraw_ok:1", "withdraw_back:x", "withdraw_back:-1"} {
		b.forge(t, bob, m.MessageID, data)
	}
	b.forge(t, bob, asked.MessageID, "withdraw_yes:00000000-0000-0000-0000-000000000000")
	b.sees(t, bob, "The request was not found")
	require.Zero(t, b.held(t, bob))
	require.Zero(t, b.count(t, `select count(*)::int from withdrawal.withdrawal`))
}

// TestH5EditedDialogue: somebody edits what Redis keeps of the last confirmation. Amounts in it are ignored, because the
// draft is read from the database, and somebody else's draft is refused and noted.
func TestH5EditedDialogue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob, eve := b.rich(t, "Bob"), b.rich(t, "Eve")
	b.drafted(t, eve)
	b.press(t, eve, "That is right")
	evesFinal := b.waitLast(t, eve, "Withdraw 600 ₽?")
	eves, ok := person.FindButton(evesFinal, "✅ Withdraw")
	require.True(t, ok)
	evesID := strings.TrimPrefix(eves.CallbackData, "withdraw_yes:")

	b.drafted(t, bob)
	b.press(t, bob, "That is right")
	m := b.waitLast(t, bob, "Withdraw 600 ₽?")
	submit, ok := person.FindButton(m, "✅ Withdraw")
	require.True(t, ok)

	t.Log("another's draft in Redis: one's own button does not fit it")
	b.edit(t, bob, map[string]any{"draft_id": evesID})
	b.forge(t, bob, m.MessageID, submit.CallbackData)
	b.waitLast(t, bob, "Let us start again")

	t.Log("another's draft in Redis and on the button")
	b.askAgain(t, bob)
	b.drafted(t, bob)
	b.press(t, bob, "That is right")
	m = b.waitLast(t, bob, "Withdraw 600 ₽?")
	b.edit(t, bob, map[string]any{"draft_id": evesID})
	b.forge(t, bob, m.MessageID, eves.CallbackData)
	b.sees(t, bob, "The request was not found")
	b.waitCount(t, 1, `select count(*)::int from audit.entry where action = 'refused.withdrawal.submit' and actor_id = $1
		and subject_id = $2`, bob.ID, "draft:"+evesID)
	require.Zero(t, b.count(t, `select count(*)::int from withdrawal.withdrawal`))

	t.Log("an amount in Redis")
	b.askAgain(t, bob)
	b.drafted(t, bob)
	b.press(t, bob, "That is right")
	b.waitLast(t, bob, "Withdraw 600 ₽?")
	b.edit(t, bob, map[string]any{"amount_kopecks": 1, "amount": 139900})
	b.send(t, bob, "show it again")
	b.waitLast(t, bob, "Withdraw 600 ₽?")
	b.press(t, bob, "✅ Withdraw")
	b.waitLast(t, bob, "waiting for an admin")
	require.Equal(t, 60000, b.held(t, bob))
	require.Zero(t, b.held(t, eve))

	t.Log("what is of no form that this release reads is dropped")
	b.waitHandled(t) // a dialogue that ended is forgotten after the answer
	for _, text := range []string{`{"mark":"x","name":"withdraw","version":99,"step":"final","draft":{}}`, `{"mark":"x","name":"withdraw","version":1,"step":"final","draft":"odd"}`, `[]`} {
		require.NoError(t, b.redis.Set(fmt.Sprintf("test:dialogue:{%d}", eve.ID), text))
		b.send(t, eve, "600")
		b.waitLast(t, eve, "Let us start again")
		b.isInNoDialogue(t, eve)
		b.forge(t, eve, evesFinal.MessageID, eves.CallbackData)
		b.sees(t, eve, "Let us start again")
		b.waitHandled(t)
	}
	require.Zero(t, b.held(t, eve))
}

// TestWithdrawalThatCannotGoOn: the draft's time is over, or its money gone, before the last confirmation.
func TestWithdrawalThatCannotGoOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.rich(t, "Bob")
	b.drafted(t, bob)
	b.press(t, bob, "That is right")
	b.waitLast(t, bob, "Withdraw 600 ₽?")
	_, err := b.db.Owner.Exec(b.ctx, `update withdrawal.draft set expires_at = drafted_at`)
	require.NoError(t, err)
	b.press(t, bob, "✅ Withdraw")
	b.waitLast(t, bob, "The time to confirm is over, and nothing was withdrawn")
	b.isInNoDialogue(t, bob)

	b.askAgain(t, bob)
	b.drafted(t, bob)
	b.press(t, bob, "That is right")
	b.waitLast(t, bob, "Withdraw 600 ₽?")
	_, err = b.db.DBA.Exec(b.ctx, `select from wallet.debit(p_telegram_id => $1, p_amount_kopecks => 100000, p_admin_id => $2,
		p_note => 'spent', p_idempotency_key => 'spent')`, bob.ID, int64(adminID))
	require.NoError(t, err)
	b.press(t, bob, "✅ Withdraw")
	b.waitLast(t, bob, "There is 399 ₽ on your balance now, which is not enough. Nothing was withdrawn.")
	b.isInNoDialogue(t, bob)
	require.Zero(t, b.held(t, bob))
}

// TestWithdrawalInRussian sees the amounts in the form of the language.
func TestWithdrawalInRussian(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna := b.started(t, "Анна", "ru")
	b.credit(t, anna, 2000)
	b.send(t, anna, "/profile")
	b.press(t, anna, "Вывести")
	b.press(t, anna, "Запросить вывод")
	b.waitLast(t, anna, "Сколько вывести?")
	b.send(t, anna, "1399")
	b.waitLast(t, anna, "1 399 ₽; на балансе останется 601 ₽.")
	b.send(t, anna, "Т-Банк +7 900 000-00-00")
	b.waitLast(t, anna, "Куда: ••••0-00")
	b.press(t, anna, "Всё верно")
	b.press(t, anna, "Вывести деньги")
	b.waitLast(t, anna, "ждёт администратора")
	require.Equal(t, 139900, b.held(t, anna))
}

// edit changes the draft in what Redis keeps of somebody.
func (b *bundle) edit(t *testing.T, p *person.Person, changes map[string]any) {
	t.Helper()
	key := fmt.Sprintf("test:dialogue:{%d}", p.ID)
	text, err := b.redis.Get(key)
	require.NoError(t, err)
	var kept map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &kept))
	for name, value := range changes {
		kept["draft"].(map[string]any)[name] = value
	}
	edited, err := json.Marshal(kept)
	require.NoError(t, err)
	require.NoError(t, b.redis.Set(key, string(edited)))
}
