package bot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// named gives somebody a name at Telegram, as it was at the last /start.
func (b *bundle) named(t *testing.T, p *person.Person, name string) {
	t.Helper()
	_, err := b.db.Owner.Exec(b.ctx, `update account.account set username = $2 where telegram_id = $1`, p.ID, name)
	require.NoError(t, err)
}

// card shows somebody to an admin.
func (b *bundle) card(t *testing.T, admin, p *person.Person) botapi.ChatMessage {
	t.Helper()
	b.send(t, admin, "/admin")
	menu := b.waitLast(t, admin, "Service:")
	b.forge(t, admin, menu.MessageID, fmt.Sprintf("a_user:%d", p.ID))
	return b.waitLast(t, admin, fmt.Sprint(p.ID))
}

// button is what a label of a message sends.
func button(t *testing.T, m botapi.ChatMessage, label string) string {
	t.Helper()
	found, ok := person.FindButton(m, label)
	require.True(t, ok, "no %q under %q", label, m.Text)
	return found.CallbackData
}

func (b *bundle) available(t *testing.T, p *person.Person) int {
	t.Helper()
	return b.count(t, `select available_kopecks::int from wallet.wallet where telegram_id = $1`, p.ID)
}

// TestUserSearch looks for users by number and name, with something wrong first, and leaves.
func TestUserSearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	admin, anna, ann := b.admin(t, "Boss", "en"), b.started(t, "Anna", "en"), b.started(t, "Ann", "en")
	b.named(t, anna, "anna_k")
	b.named(t, ann, "Ann\u202eak")

	b.send(t, admin, "/admin")
	b.press(t, admin, "Users")
	b.waitLast(t, admin, "Whom are you looking for?")
	for wrong, answer := range map[string]string{
		strings.Repeat("x", 65): "That can be nobody's", "@": "That can be nobody's", "no_such_one": "Nobody has that", "900099": "Nobody has that", "%": "Nobody has that",
	} {
		b.send(t, admin, wrong)
		b.waitLast(t, admin, answer)
		require.NotEmpty(t, b.dialogue(t, admin), "it is asked again")
	}
	t.Log("another process goes on")
	p.stop()
	b.startBot(t)
	b.send(t, admin, "https://t.me/ANNA_k")
	card := b.waitLast(t, admin, fmt.Sprintf("@anna_k, %d", anna.ID))
	for _, part := range []string{"Subscription: none", "Balance: 0 ₽", "Subscriptions paid: 0", "language: en"} {
		require.Contains(t, card.Text, part)
	}
	b.isInNoDialogue(t, admin)

	b.press(t, admin, "Look for another")
	b.send(t, admin, fmt.Sprint(ann.ID))
	require.NotContains(t, b.waitLast(t, admin, fmt.Sprint(ann.ID)).Text, "\u202e", "nothing that turns the line around")

	b.press(t, admin, "Look for another")
	b.send(t, admin, "@ann")
	list := b.waitLast(t, admin, "Which one?")
	require.NotContains(t, list.Text, "There are more")
	b.press(t, admin, fmt.Sprintf("@Annak · %d", ann.ID))
	b.waitLast(t, admin, fmt.Sprint(ann.ID))

	t.Log("more than fit")
	for i := range 11 {
		b.named(t, b.person(t, "x", "en"), "")
		_, err := b.db.DBA.Exec(b.ctx, `select from account.register(p_telegram_id => $1, p_username => $2, p_language => 'en', p_start_payload => null)`,
			5000+i, fmt.Sprintf("many_%d", i))
		require.NoError(t, err)
	}
	b.press(t, admin, "Look for another")
	b.send(t, admin, "many")
	list = b.waitLast(t, admin, "There are more: type more of the name")
	require.Len(t, list.ReplyMarkup.Rows, 12, "ten of them, and two ways out")

	t.Log("left: what is typed then is no query")
	b.press(t, admin, "Look for another")
	b.waitLast(t, admin, "Whom are you looking for?")
	b.send(t, admin, "/start")
	b.waitLast(t, admin, "Atlas Secure")
	b.send(t, admin, "anna_k")
	b.waitLast(t, admin, "I understand buttons and commands")

	for _, data := range []string{"a_user:", "a_user:x", "a_user:-1", "a_user:9999999999999999999"} {
		require.Contains(t, b.forge(t, admin, list.MessageID, data).Text, "earlier", data)
	}
	b.forge(t, admin, list.MessageID, "a_user:77")
	b.sees(t, admin, "Nobody has that number or name")
}

// TestUserScreensOfOthers: who is no admin gets nothing of it, and it is noted.
func TestUserScreensOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	ex, anna := b.admin(t, "Ex", "en"), b.started(t, "Anna", "en")
	b.send(t, ex, "/admin")
	menu := b.waitLast(t, ex, "Service:")
	b.press(t, ex, "Users")
	b.waitLast(t, ex, "Whom are you looking for?")
	b.revokeAdmin(t, ex)
	b.send(t, ex, fmt.Sprint(anna.ID))
	b.waitLast(t, ex, "I understand buttons and commands")
	for i, data := range []string{"a_users", fmt.Sprintf("a_user:%d", anna.ID), fmt.Sprintf("a_credit:%d", anna.ID), "a_credit_yes:" + string(purchaseID)} {
		require.Contains(t, b.forge(t, ex, menu.MessageID, data).Text, "earlier", data)
		require.Equal(t, i+2, b.refusals(t, ex), data)
	}
	require.NotContains(t, b.chat(t, ex), "Subscription:")
}

// TestCreditAndDebit gives and takes money with something wrong at every step; the buttons pressed again do nothing twice.
func TestCreditAndDebit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	admin, anna := b.admin(t, "Boss", "en"), b.started(t, "Anna", "en")
	b.card(t, admin, anna)
	b.press(t, admin, "Credit")
	b.waitLast(t, admin, "How much to credit?")
	for _, wrong := range []string{"all", "0", "-5", "1e3", "99999999999"} {
		b.send(t, admin, wrong)
		b.waitLast(t, admin, "That does not fit")
	}
	t.Log("the answer is lost: the same update again asks for the note and takes no amount for one")
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "sendMessage", Action: botapi.FaultDrop, Count: 1}))
	b.send(t, admin, "1 500,50")
	b.waitLast(t, admin, "What for?")
	b.waitHandled(t)
	require.NoError(t, b.people.ClearFaults(b.ctx))
	p.stop()
	b.startBot(t)
	b.send(t, admin, strings.Repeat("n", 301))
	b.waitLast(t, admin, "That does not fit")
	b.send(t, admin, "for <patience>")
	confirm := b.waitLast(t, admin, "Credit 1 500.50 ₽?")
	require.Contains(t, confirm.Text, "Note: for <patience>")
	require.Zero(t, b.available(t, anna))
	yes := button(t, confirm, "Do it")
	require.NotContains(t, yes, "150")
	b.together(t, admin, confirm.MessageID, yes)
	require.Equal(t, 150050, b.available(t, anna))
	b.waitLast(t, admin, "Credited 1 500.50 ₽")
	answer := b.forge(t, admin, confirm.MessageID, yes)
	require.Equal(t, "Done already", answer.Text)
	b.waitLast(t, admin, "done before, and only once")
	require.Equal(t, 150050, b.available(t, anna))
	require.Equal(t, 1, b.count(t, `select count(*)::int from ledger.transfer where actor_id = $1 and note = 'for <patience>'`, admin.ID))

	t.Log("more than there is cannot be taken")
	b.press(t, admin, "Debit")
	b.send(t, admin, "1500.51")
	b.send(t, admin, "back")
	b.waitLast(t, admin, "Take 1 500.51 ₽ from the balance?")
	b.press(t, admin, "Do it")
	b.waitLast(t, admin, "less than that on the balance")
	b.press(t, admin, "Back")
	b.waitLast(t, admin, "Balance: 1 500.50 ₽")
	b.press(t, admin, "Debit")
	b.waitLast(t, admin, "How much to take?")
	b.send(t, admin, "500.50")
	b.waitLast(t, admin, "What for?")
	b.send(t, admin, "back")
	taken := b.waitLast(t, admin, "Take 500.50 ₽ from the balance?")
	b.press(t, admin, "Do it")
	b.waitLast(t, admin, "Balance: 1 000 ₽")
	require.Equal(t, 100000, b.available(t, anna))

	t.Log("another admin cannot use the button, and the first no more when it is too late or another action's")
	other := b.admin(t, "Other", "en")
	b.card(t, other, anna)
	b.forge(t, other, b.lastMessage(t, other).MessageID, button(t, taken, "Do it"))
	b.waitLast(t, other, "This draft is gone")
	crossed := strings.Replace(button(t, taken, "Do it"), "a_debit_yes", "a_credit_yes", 1)
	require.Contains(t, b.forge(t, admin, taken.MessageID, crossed).Text, "earlier")
	_, err := b.db.Owner.Exec(b.ctx, `update account.draft set expires_at = drafted_at`)
	require.NoError(t, err)
	b.forge(t, admin, taken.MessageID, button(t, taken, "Do it"))
	b.waitLast(t, admin, "It has been too long")
	require.Equal(t, 100000, b.available(t, anna))
	b.reconciled(t)
}

// TestCreditIsLeft leaves at every step; what is typed then means nothing.
func TestCreditIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	admin, anna := b.admin(t, "Начальник", "ru"), b.started(t, "Анна", "ru")
	for steps := range 3 {
		b.send(t, admin, "/admin")
		menu := b.waitLast(t, admin, "Сервис")
		b.forge(t, admin, menu.MessageID, fmt.Sprintf("a_user:%d", anna.ID))
		b.press(t, admin, "Начислить")
		b.waitLast(t, admin, "Сколько начислить?")
		if steps > 0 {
			b.send(t, admin, "300")
			b.waitLast(t, admin, "За что?")
		}
		if steps > 1 {
			b.send(t, admin, "за терпение")
			b.waitLast(t, admin, "Начислить 300 ₽?")
		}
		b.press(t, admin, "Не нужно")
		b.waitLast(t, admin, "Оплачено подписок: 0")
		b.send(t, admin, "300")
		b.waitLast(t, admin, "Я понимаю кнопки и команды")
	}
	require.Zero(t, b.available(t, anna))
}
