package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/sqlapi"
)

// adminMoneyScreens draws the admins' screens about money.
func adminMoneyScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	payoutScreens(text, screens, soon)
	vpnScreens(text, screens, soon)
	moneyScreens(text, screens, soon)
	figureScreens(text, screens, soon)
}

func payoutScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	queued := sqlapi.QueuedWithdrawal{
		WithdrawalID: 12, TelegramID: 12, Username: strings.Repeat("<x_", 21), Amount: 1_000_000_000_000, RequestedAt: soon, ApprovalsNeeded: 2,
	}
	screens["no payouts"] = screen.Payouts(text, screen.PageOf([]sqlapi.QueuedWithdrawal{}, 8, true))
	screens["no more payouts"] = screen.Payouts(text, screen.PageOf([]sqlapi.QueuedWithdrawal{}, 8, false))
	var many []sqlapi.QueuedWithdrawal
	for range 9 {
		many = append(many, queued)
	}
	screens["payouts"] = screen.Payouts(text, screen.PageOf(many, 8, false))
	for _, status := range []string{"pending", "approved", "rejected", "cancelled"} {
		shown := sqlapi.ShownWithdrawal{QueuedWithdrawal: queued, Status: status, Debt: 5}
		screens["payout own "+status] = screen.Payout(text, shown, "")
		for range 2 {
			shown.Approvers = append(shown.Approvers, sqlapi.Approver{TelegramID: 5, Username: "boss", ApprovedAt: soon})
		}
		if status != "pending" {
			shown.EndedAt, shown.EndedBy, shown.Reason = &soon, 1<<52-1, strings.Repeat("<&", 500)
		}
		where := ""
		if screen.IsPayable(shown) {
			where, shown.Reason = strings.Repeat("<", 256), ""
		}
		screens["payout "+status] = screen.Payout(text, shown, where)
		screens["payout unreadable "+status] = screen.UnreadablePayout(text, shown)
		screens["confirm approval"+status] = screen.ConfirmApproval(text, shown, atlas.DraftID(purchaseID))
		shown.Approvals = 1
		screens["confirm last approval"+status] = screen.ConfirmApproval(text, shown, atlas.DraftID(purchaseID))
		screens["ask rejection"] = screen.AskRejection(text, shown, false)
		screens["ask rejection again"] = screen.AskRejection(text, shown, true)
		screens["confirm rejection"] = screen.ConfirmRejection(text, shown, strings.Repeat("<", 500), atlas.DraftID(purchaseID))
		shown.IsOwn = true
		screens["payout own "+status] = screen.Payout(text, shown, "")
		shown.IsOwn, shown.IsApprovedByYou = false, true
		screens["payout mine "+status] = screen.Payout(text, shown, "")
	}
}

// waiting is somebody with a withdrawal that waits, of so many roubles.
func (b *bundle) waiting(t *testing.T, name string, roubles int64) (*person.Person, int) {
	t.Helper()
	p := b.started(t, name, "en")
	b.credit(t, p, roubles)
	b.send(t, p, "/profile")
	b.press(t, p, "Withdraw")
	b.press(t, p, "Request a withdrawal")
	b.waitLast(t, p, "How much?")
	b.send(t, p, fmt.Sprint(roubles))
	b.waitLast(t, p, "Where should the money go?")
	b.send(t, p, card)
	b.waitLast(t, p, "Please check")
	b.press(t, p, "That is right")
	b.press(t, p, "✅ Withdraw")
	b.waitLast(t, p, "waiting for an admin")
	return p, b.count(t, `select max(withdrawal_id)::int from withdrawal.withdrawal`)
}

// reconciled sees that the books are right.
func (b *bundle) reconciled(t *testing.T) {
	t.Helper()
	require.Zero(t, b.count(t, `select count(*)::int from ops.reconcile()`))
}

// status is how a withdrawal stands.
func (b *bundle) status(t *testing.T, withdrawal int) string {
	t.Helper()
	var status string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select status::text from withdrawal.withdrawal where withdrawal_id = $1`, withdrawal).Scan(&status))
	return status
}

// tap presses a button that may be gone and waits for the answer, in any goroutine.
func (b *bundle) tap(p *person.Person, message int, data string) error {
	id, err := p.Tap(b.ctx, person.Tap{MessageID: message, Data: data, Forged: true})
	if err == nil {
		_, err = p.Answer(b.ctx, id)
	}
	return err
}

// button is the data of a button on the newest message.
func (b *bundle) button(t *testing.T, p *person.Person, label string) (message int, data string) {
	t.Helper()
	m := b.lastMessage(t, p)
	button, ok := person.FindButton(m, label)
	require.True(t, ok, "%q is not on: %s", label, m.Text)
	return m.MessageID, button.CallbackData
}

// TestPayout looks at a withdrawal, sees where to pay, and approves it after a question. The requisites are in no log and
// no table in the clear, and each look at them is in the audit.
func TestPayout(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob, id := b.waiting(t, "Bob", 600)
	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting: 1")
	b.press(t, boss, "🏦 Withdrawals")
	b.waitLast(t, boss, fmt.Sprintf("No. %d: 600 ₽", id))
	require.Zero(t, b.count(t, `select count(*)::int from audit.entry where action = 'withdrawal.look'`), "a list shows no requisites")
	b.press(t, boss, fmt.Sprintf("No. %d — 600 ₽", id))
	m := b.waitLast(t, boss, card)
	require.Contains(t, m.Text, fmt.Sprint(bob.ID))
	require.Contains(t, m.Text, "Approvals: 0 of 1")
	require.Equal(t, 1, b.count(t, `select count(*)::int from audit.entry where action = 'withdrawal.look' and actor_id = $1`, boss.ID))

	b.press(t, boss, "✅ Approve")
	m = b.waitLast(t, boss, "Approve? The amount on hold is paid out")
	require.NotContains(t, m.Text, "CANARY")
	require.Equal(t, "pending", b.status(t, id), "nothing is done by asking")
	require.Equal(t, "Approved", b.press(t, boss, "✅ Yes, approve").Text)
	m = b.waitLast(t, boss, "✅ Approved by")
	require.Contains(t, m.Text, card, "whoever pays needs them")
	_, canReject := person.FindButton(m, "❌ Reject")
	require.False(t, canReject)
	require.Equal(t, "approved", b.status(t, id))
	require.Zero(t, b.held(t, bob))
	b.nowhere(t, "CANARY")
	b.reconciled(t)
	t.Log("what was over a pressed button is not kept")
	require.Positive(t, b.count(t, `select count(*)::int from inbox.update where payload::text like '%a_payout_yes%'`))
	require.Zero(t, b.count(t, `select count(*)::int from inbox.update where payload::text like '%on hold is paid out%'`))
	b.press(t, boss, "Back")
	b.waitLast(t, boss, "Nobody waits for a decision")
	b.press(t, boss, "🛠 Admin")
	b.waitLast(t, boss, "Withdrawals waiting: 0")
}

// TestPayoutOfTwoAdmins: both press at once, one approves and the other rejects. One of them has decided, and both see who.
func TestPayoutOfTwoAdmins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	bob, id := b.waiting(t, "Bob", 600)
	one, two := b.admin(t, "One", "en"), b.admin(t, "Two", "ru")
	for _, p := range []*person.Person{one, two} {
		b.send(t, p, "/admin")
		b.waitLast(t, p, map[*person.Person]string{one: "Withdrawals waiting: 1", two: "Выводов ждёт: 1"}[p])
	}
	data := fmt.Sprintf("a_payout:%d", id)
	b.forge(t, one, b.lastMessage(t, one).MessageID, data)
	b.waitLast(t, one, card)
	b.press(t, one, "✅ Approve")
	b.waitLast(t, one, "Approve?")
	b.forge(t, two, b.lastMessage(t, two).MessageID, data)
	b.waitLast(t, two, card)
	b.press(t, two, "❌ Отклонить")
	b.waitLast(t, two, "Почему заявка отклоняется?")
	b.send(t, two, "Нет такой карты")
	b.waitLast(t, two, "Отклонить? Сумма вернётся")

	approveAt, approve := b.button(t, one, "✅ Yes, approve")
	rejectAt, reject := b.button(t, two, "❌ Да, отклонить")
	var both errgroup.Group
	both.Go(func() error { return b.tap(one, approveAt, approve) })
	both.Go(func() error { return b.tap(two, rejectAt, reject) })
	require.NoError(t, both.Wait())
	status := b.status(t, id)
	require.Contains(t, []string{"approved", "rejected"}, status)
	winner := map[string]*person.Person{"approved": one, "rejected": two}[status]
	b.waitLast(t, one, map[string]string{"approved": "✅ Approved by ", "rejected": "❌ Rejected by "}[status]+fmt.Sprint(winner.ID))
	b.waitLast(t, two, map[string]string{"approved": "✅ Одобрен: ", "rejected": "❌ Отклонён: "}[status]+fmt.Sprint(winner.ID))
	require.Equal(t, map[string]int{"approved": 0, "rejected": 60000}[status],
		b.count(t, `select available_kopecks::int from wallet.wallet where telegram_id = $1`, bob.ID))

	t.Log("and once more, on two devices: it stays as it is")
	before := b.count(t, `select count(*)::int from ledger.transfer`)
	b.together(t, one, approveAt, approve)
	b.together(t, two, rejectAt, reject)
	require.Equal(t, status, b.status(t, id))
	require.Equal(t, before, b.count(t, `select count(*)::int from ledger.transfer`))
	b.reconciled(t)
}

// TestPayoutNeedsFourEyes: a large amount stays on hold until a second admin has approved.
func TestPayoutNeedsFourEyes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob, id := b.waiting(t, "Bob", 50000)
	one, two := b.admin(t, "One", "en"), b.admin(t, "Two", "en")
	approve := func(p *person.Person, question string) string {
		b.send(t, p, "/admin")
		b.waitLast(t, p, "Withdrawals waiting")
		b.forge(t, p, b.lastMessage(t, p).MessageID, fmt.Sprintf("a_payout:%d", id))
		b.waitLast(t, p, card)
		b.press(t, p, "✅ Approve")
		b.waitLast(t, p, question)
		return b.press(t, p, "✅ Yes, approve").Text
	}
	require.Equal(t, "Your approval counts, one more is needed", approve(one, "different admins: 2"))
	m := b.waitLast(t, one, "Another admin has to approve, too")
	require.Contains(t, m.Text, "Approvals: 1 of 2\n• "+fmt.Sprint(one.ID))
	_, again := person.FindButton(m, "✅ Approve")
	require.False(t, again)
	b.forge(t, one, m.MessageID, fmt.Sprintf("a_payout_ok:%d", id)) // the button is not there any more
	b.waitLast(t, one, "Another admin has to approve, too")
	require.Equal(t, 5000000, b.held(t, bob))
	require.Equal(t, "Approved", approve(two, "Approve? The amount on hold is paid out"))
	b.waitLast(t, two, "✅ Approved by "+fmt.Sprint(two.ID))
	require.Zero(t, b.held(t, bob))
	b.reconciled(t)
}

// TestPayoutOfOneself: an admin's own request is another's to decide on, whatever is pressed.
func TestPayoutOfOneself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob, id := b.waiting(t, "Bob", 600)
	b.grantAdmin(t, bob)
	last := b.lastMessage(t, bob).MessageID
	b.forge(t, bob, last, fmt.Sprintf("a_payout:%d", id))
	m := b.waitLast(t, bob, "This is your own request")
	_, can := person.FindButton(m, "✅ Approve")
	require.False(t, can)
	b.forge(t, bob, last, fmt.Sprintf("a_payout_ok:%d", id))
	b.waitLast(t, bob, "This is your own request")
	draft := b.count(t, `select count(*)::int from account.draft`)
	require.Equal(t, 1, draft)
	var draftID string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select draft_id::text from account.draft`).Scan(&draftID))
	require.Equal(t, "Another admin approves your own request", b.forge(t, bob, last, "a_payout_yes:"+draftID).Text)
	require.Equal(t, "pending", b.status(t, id))
	require.Equal(t, 1, b.count(t, `select count(*)::int from audit.entry where action = 'refused.withdrawal.approve'`))
}

// TestPayoutRejection types nonsense at the question, is left in the middle, meets a bot that starts anew, and rejects.
func TestPayoutRejection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	bob, id := b.waiting(t, "Bob", 600)
	boss := b.admin(t, "Boss", "en")
	ask := func() {
		b.send(t, boss, "/admin")
		b.waitLast(t, boss, "Withdrawals waiting")
		b.forge(t, boss, b.lastMessage(t, boss).MessageID, fmt.Sprintf("a_payout_no:%d", id))
		b.waitLast(t, boss, "Why is it rejected?")
	}
	ask()
	b.press(t, boss, "Never mind")
	b.waitLast(t, boss, card)
	b.isInNoDialogue(t, boss)
	ask()
	b.send(t, boss, "/start")
	b.waitLast(t, boss, "Atlas Secure")
	b.send(t, boss, "No such card")
	b.waitLast(t, boss, "I understand buttons and commands")

	ask()
	for _, wrong := range []string{strings.Repeat("x", 501), "a\u0007b"} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, "A reason is 1 to 500 characters")
	}
	p.stop()
	b.startBot(t)
	b.startBot(t)
	b.send(t, boss, "No <such> card")
	m := b.waitLast(t, boss, "Reject? The amount goes back")
	require.Contains(t, m.Text, "No <such> card")
	b.send(t, boss, "yes")
	b.waitLast(t, boss, "Reject? The amount goes back")
	require.Equal(t, "pending", b.status(t, id))
	at, data := b.button(t, boss, "❌ Yes, reject")
	b.together(t, boss, at, data)
	b.waitLast(t, boss, "❌ Rejected by "+fmt.Sprint(boss.ID))
	require.Equal(t, "rejected", b.status(t, id))
	require.Zero(t, b.held(t, bob))
	require.Equal(t, 1, b.count(t, `select count(*)::int from ledger.transfer where reason = 'withdrawal_return'`))
	require.Equal(t, 1, b.count(t, `select count(*)::int from outbox.task where name = 'withdrawal_rejected' and arguments ->> 'reason' = 'No <such> card'`))
	b.reconciled(t)

	t.Log("asked again when there is nothing to decide, and too late")
	b.forge(t, boss, at, fmt.Sprintf("a_payout_no:%d", id))
	b.waitLast(t, boss, "❌ Rejected by")
	b.isInNoDialogue(t, boss)
	_, err := b.db.Owner.Exec(b.ctx, `update account.draft set expires_at = drafted_at`)
	require.NoError(t, err)
	require.Equal(t, "The time to confirm is over; this is how things stand", b.forge(t, boss, at, data).Text)
}

// TestPayoutButtonsOfOthers: no button of these leads anybody else anywhere, and odd ones lead nobody.
func TestPayoutButtonsOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob, id := b.waiting(t, "Bob", 600)
	at := b.lastMessage(t, bob).MessageID
	for _, data := range []string{"a_payouts", "a_payout:1", "a_payout_ok:1", "a_payout_no:1", "a_payout_yes:" + string(purchaseID), "a_payout_rej:" + string(purchaseID)} {
		require.Contains(t, b.forge(t, bob, at, strings.Replace(data, ":1", fmt.Sprint(":", id), 1)).Text, "earlier", data)
	}
	require.Equal(t, 6, b.refusals(t, bob))
	boss := b.admin(t, "Boss", "en")
	at = b.lastMessage(t, boss).MessageID
	for _, data := range []string{"a_payouts:x", "a_payout", "a_payout:0", "a_payout:-1", "a_payout:1e3", "a_payout_ok:", "a_payout_no:99999999999999999999", "a_payout_yes:1"} {
		require.Contains(t, b.forge(t, boss, at, data).Text, "earlier", data)
	}
	for _, data := range []string{"a_payout:999999", "a_payout_ok:999999", "a_payout_no:999999", "a_payouts:999999"} {
		b.forge(t, boss, at, data)
		b.waitLast(t, boss, "The request was not found")
	}
	b.forge(t, boss, at, "a_payout_yes:"+string(purchaseID))
	require.Equal(t, "pending", b.status(t, id))
}
