package bot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// lose makes Telegram deliver the next screen and lose its answer: the same update is handled once more.
func (b *bundle) lose(t *testing.T) {
	t.Helper()
	for _, method := range []string{"sendMessage", "editMessageText"} {
		require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: method, Action: botapi.FaultDrop, Count: 1}))
	}
}

// allAnswered waits until everything that was said is answered.
func (b *bundle) allAnswered(t *testing.T) {
	t.Helper()
	b.waitHandled(t)
	require.NoError(t, b.people.ClearFaults(b.ctx))
}

func (b *bundle) tasks(t *testing.T, p *person.Person, name string) int {
	t.Helper()
	return b.count(t, `select count(*)::int from outbox.task where telegram_id = $1 and name = $2`, p.ID, name)
}

// minutes that somebody has access for, from now, to the nearest.
func (b *bundle) minutes(t *testing.T, p *person.Person) int {
	t.Helper()
	return b.count(t, `select coalesce(round(extract(epoch from expires_at - now()) / 60), 0)::int
		from subscription.subscription where telegram_id = $1`, p.ID)
}

// pressLast presses a button of the newest message: questions that were answered by typing keep theirs.
func (b *bundle) pressLast(t *testing.T, p *person.Person, label string) botapi.CallbackAnswer {
	t.Helper()
	m := b.lastMessage(t, p)
	return b.forge(t, p, m.MessageID, button(t, m, label))
}

// TestGrantDialogue gives access of a length on a button and of a typed one, each answer lost once, by one bot and another.
func TestGrantDialogue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	admin, anna := b.admin(t, "Boss", "en"), b.started(t, "Anna", "en")
	b.card(t, admin, anna)
	b.pressLast(t, admin, "Give access")
	b.waitLast(t, admin, "For how long?")
	b.send(t, admin, "a week")
	b.waitLast(t, admin, "That does not fit")
	b.pressLast(t, admin, "Another length")
	b.waitLast(t, admin, "In which unit")
	b.pressLast(t, admin, "Hours")
	b.waitLast(t, admin, "How many?")
	for _, wrong := range []string{"0", "-1", "1.5", "many", "87601", "99999999999999999999"} {
		b.send(t, admin, wrong)
		b.waitLast(t, admin, "That does not fit")
	}
	b.lose(t)
	b.send(t, admin, "36")
	m := b.waitLast(t, admin, "Which plan?")
	b.allAnswered(t)
	p.stop()
	b.startBot(t)
	b.lose(t)
	b.pressLast(t, admin, "Plus")
	b.waitLast(t, admin, "Shall the user be told?")
	b.allAnswered(t)
	t.Log("a button of the question before shows where it stands")
	b.forge(t, admin, m.MessageID, "a_grant_tariff:0")
	b.waitLast(t, admin, "Shall the user be told?")
	for _, odd := range []string{"7", "-1", "x", ""} {
		b.forge(t, admin, b.lastMessage(t, admin).MessageID, "a_grant_tell:"+odd)
	}
	b.waitLast(t, admin, "I have lost the thread")
	b.card(t, admin, anna)
	b.pressLast(t, admin, "Give access")
	b.pressLast(t, admin, "Another length")
	b.pressLast(t, admin, "Hours")
	b.send(t, admin, "36")
	b.waitLast(t, admin, "Which plan?")
	b.pressLast(t, admin, "Plus")
	b.pressLast(t, admin, "Do not tell")
	confirm := b.waitLast(t, admin, "Give access: plan Plus, 36 hours?")
	require.Contains(t, confirm.Text, "The user is not told.")
	require.Zero(t, b.count(t, `select count(*)::int from subscription.subscription`))
	b.together(t, admin, confirm.MessageID, button(t, confirm, "Do it"))
	b.waitLast(t, admin, "Given: plan Plus, 36 hours")
	require.Equal(t, 36*60, b.minutes(t, anna))
	require.Zero(t, b.tasks(t, anna, "time_granted"))

	t.Log("a length on a button, and the user is told")
	b.pressLast(t, admin, "Give access")
	b.pressLast(t, admin, "14 days")
	b.pressLast(t, admin, "Plus")
	b.pressLast(t, admin, "Tell the user")
	b.waitLast(t, admin, "14 days?")
	b.lose(t)
	b.pressLast(t, admin, "Do it")
	b.waitLast(t, admin, "Given: plan Plus, 14 days")
	b.allAnswered(t)
	require.Equal(t, (36+14*24)*60, b.minutes(t, anna))
	require.Equal(t, 1, b.tasks(t, anna, "time_granted"))

	t.Log("and all of it is ended")
	b.pressLast(t, admin, "End access")
	b.waitLast(t, admin, "Shall the user be told, with the reason?")
	b.send(t, admin, "yes")
	b.waitLast(t, admin, "That does not fit")
	b.pressLast(t, admin, "Tell the user")
	b.waitLast(t, admin, "Why?")
	b.send(t, admin, "shared the key")
	end := b.waitLast(t, admin, "End the subscription now?")
	b.together(t, admin, end.MessageID, button(t, end, "Do it"))
	done := b.waitLast(t, admin, "The subscription was ended: shared the key")
	require.Contains(t, done.Text, "ended")
	_, canEnd := person.FindButton(done, "End access")
	require.False(t, canEnd, "there is nothing left to end")
	require.Equal(t, 1, b.tasks(t, anna, "subscription_revoked"))
	b.forge(t, admin, done.MessageID, fmt.Sprintf("a_revoke:%d", anna.ID))
	b.pressLast(t, admin, "Do not tell")
	b.send(t, admin, "once more")
	b.waitLast(t, admin, "End the subscription now?")
	b.pressLast(t, admin, "Do it")
	b.waitLast(t, admin, "no subscription in force")
	b.reconciled(t)
}

// TestStanding changes a user's discount, VIP and block. The button of a draft that was done does nothing once more, even
// after another admin has changed it back.
func TestStanding(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	admin, anna := b.admin(t, "Boss", "en"), b.started(t, "Anna", "en")
	flag := func(column string) int {
		return b.count(t, `select `+column+`::int from account.account where telegram_id = $1`, anna.ID)
	}
	do := func(want string) botapi.ChatMessage {
		t.Helper()
		m := b.lastMessage(t, admin)
		b.pressLast(t, admin, "Do it")
		b.waitLast(t, admin, want)
		return m
	}
	b.card(t, admin, anna)
	b.pressLast(t, admin, "Discount")
	for _, wrong := range []string{"100", "-1", "ten", "1.5"} {
		b.send(t, admin, wrong)
		b.waitLast(t, admin, "That does not fit")
	}
	b.send(t, admin, "25 %")
	b.waitLast(t, admin, "For how long?")
	for _, wrong := range []string{"0", "3651", "week"} {
		b.send(t, admin, wrong)
		b.waitLast(t, admin, "That does not fit")
	}
	b.send(t, admin, "10")
	b.waitLast(t, admin, "Set a personal discount of 25 %, until")
	discounted := do("Personal discount: 25 %, until")
	require.Equal(t, 10, b.count(t, `select round(extract(epoch from discount_expires_at - now()) / 86400)::int
		from account.account where telegram_id = $1`, anna.ID))
	b.pressLast(t, admin, "Discount")
	b.waitLast(t, admin, "How many percent?")
	b.send(t, admin, "30")
	b.waitLast(t, admin, "For how long?")
	b.pressLast(t, admin, "For good")
	b.waitLast(t, admin, "of 30 %, for good?")
	do("Personal discount: 30 %")
	b.pressLast(t, admin, "Discount")
	b.send(t, admin, "0")
	b.waitLast(t, admin, "Take the personal discount away?")
	do("The personal discount was taken away")
	answer := b.forge(t, admin, discounted.MessageID, button(t, discounted, "Do it"))
	require.Equal(t, "Done already", answer.Text)
	require.Zero(t, flag("coalesce(discount_percent, 0)"))

	b.card(t, admin, anna)
	b.pressLast(t, admin, "Make VIP")
	b.waitLast(t, admin, "Make the user a VIP?")
	made := do("Made a VIP")
	require.Equal(t, 1, flag("is_vip"))
	b.pressLast(t, admin, "No longer VIP")
	b.waitLast(t, admin, "no longer a VIP?")
	do("No longer a VIP")
	require.Equal(t, "Done already", b.forge(t, admin, made.MessageID, button(t, made, "Do it")).Text)
	require.Zero(t, flag("is_vip"))

	b.card(t, admin, anna)
	b.pressLast(t, admin, "Block")
	b.waitLast(t, admin, "Why?")
	b.send(t, admin, "stolen <card>")
	b.waitLast(t, admin, "Block the user?")
	blocked := do("Blocked: stolen <card>")
	require.Equal(t, 1, flag("is_blocked"))
	require.Contains(t, b.lastMessage(t, admin).Text, "Blocked since")
	b.pressLast(t, admin, "Unblock")
	b.waitLast(t, admin, "Why?")
	b.send(t, admin, "a mistake")
	b.waitLast(t, admin, "Unblock the user?")
	do("Unblocked: a mistake")
	require.Equal(t, "Done already", b.forge(t, admin, blocked.MessageID, button(t, blocked, "Do it")).Text)
	require.Zero(t, flag("is_blocked"))
	require.Equal(t, 7, b.count(t, `select count(*)::int from audit.entry where actor_id = $1 and subject_id = $2`, admin.ID, fmt.Sprint(anna.ID)))
}

// TestRefundAndReissue gives a purchase back from the list and makes a new key; another admin sees who was faster.
func TestRefundAndReissue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	admin, other, anna := b.admin(t, "Boss", "en"), b.admin(t, "Other", "en"), b.started(t, "Anna", "en")
	b.credit(t, anna, 1000)
	b.send(t, anna, "/buy")
	b.press(t, anna, "Basic")
	b.press(t, anna, "1 month")
	b.press(t, anna, "Pay from the balance")
	b.waitCount(t, 1, `select count(*)::int from subscription.subscription where activation = 'active'`)

	b.card(t, admin, anna)
	b.pressLast(t, admin, "Make a new key")
	m := b.waitLast(t, admin, "Make a new key?")
	b.together(t, admin, m.MessageID, button(t, m, "Do it"))
	b.waitLast(t, admin, "A new key is being made")
	require.Equal(t, 1, b.count(t, `select count(*)::int from subscription.change where kind = 'reissue' and actor_id = $1`, admin.ID))
	b.waitCount(t, 2, `select count(*)::int from outbox.task where telegram_id = $1 and name = 'key_ready'`, anna.ID)

	t.Log("the movements, with notes")
	b.card(t, admin, anna)
	b.pressLast(t, admin, "Movements")
	require.Contains(t, b.waitLast(t, admin, "Movements of money").Text, "Note: test")
	b.pressLast(t, admin, "Back")
	b.waitLast(t, admin, "Subscriptions paid: 1, 149 ₽ in all")

	t.Log("both admins have the button before them")
	confirm := func(who *person.Person) {
		t.Helper()
		b.card(t, who, anna)
		b.pressLast(t, who, "Purchases")
		list := b.waitLast(t, who, "1. Basic, 1 month, 149 ₽")
		require.NotContains(t, button(t, list, "give 149 ₽ back"), "149")
		b.pressLast(t, who, "give 149 ₽ back")
		b.waitLast(t, who, "Why?")
		b.send(t, who, "does not work there")
		b.waitLast(t, who, "Give back 149 ₽ to the balance for Basic, 1 month?")
	}
	confirm(admin)
	confirm(other)
	pressed := b.lastMessage(t, admin)
	b.together(t, admin, pressed.MessageID, button(t, pressed, "Do it"))
	b.waitLast(t, admin, "Given back: 149 ₽")
	require.Equal(t, 100000, b.available(t, anna))
	b.pressLast(t, other, "Do it")
	b.waitLast(t, other, "This cannot be given back")
	b.pressLast(t, other, "Purchases")
	require.Contains(t, b.waitLast(t, other, "Given back").Text, fmt.Sprintf("by %d: does not work there", admin.ID))
	require.Equal(t, 100000, b.available(t, anna))
	b.reconciled(t)
	for _, data := range []string{"a_refund:%d", "a_refund:%d:x", "a_purchases:%d:x", "a_history:%d:x", "a_history:%d:-1"} {
		require.Contains(t, b.forge(t, admin, pressed.MessageID, fmt.Sprintf(data, anna.ID)).Text, "earlier", data)
	}
	b.forge(t, admin, pressed.MessageID, fmt.Sprintf("a_refund:%d:%s", admin.ID, strings.ToUpper(string(purchaseID))))
	b.sees(t, admin, "This purchase was not found")
}

// TestLongHistory turns the pages of a user's movements.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	admin, anna := b.admin(t, "Начальник", "ru"), b.started(t, "Анна", "ru")
	for roubles := range int64(9) {
		b.credit(t, anna, roubles+1)
	}
	b.send(t, admin, "/admin")
	b.forge(t, admin, b.waitLast(t, admin, "Сервис").MessageID, fmt.Sprintf("a_user:%d", anna.ID))
	b.pressLast(t, admin, "Движения")
	first := b.waitLast(t, admin, "Движения денег").Text
	require.Contains(t, first, "+9 ₽")
	require.NotContains(t, first, "+1 ₽")
	b.pressLast(t, admin, "Раньше")
	b.waitLast(t, admin, "+1 ₽")
	b.pressLast(t, admin, "Новые")
	b.waitLast(t, admin, "+9 ₽")
}
