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
	"atlas-secure/tests/harness"
)

// moneyScreens draws the admins' screens about payments, purchases and keys.
func moneyScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	long := strings.Repeat("<", 500)
	for _, currency := range []atlas.Currency{atlas.RUB, atlas.XTR, "EUR"} {
		for _, why := range []string{"unknown_purchase", "unknown_payer", "wrong_currency", "no_invoice", "amount_out_of_range", "new"} {
			p := sqlapi.SuspendedPayment{PaymentID: 12, Provider: "cryptobot", AmountMinor: 1 << 62, Currency: currency, Why: why, ReceivedAt: soon}
			name := fmt.Sprint(currency, why)
			screens["suspense "+name] = screen.Suspense(text, screen.PageOf([]sqlapi.SuspendedPayment{p, p, p, p, p, p, p, p, p}, 8, false))
			shown := sqlapi.ShownPayment{SuspendedPayment: p, ChargeID: strings.Repeat("<", 256), Outcome: atlas.Suspense, PayerID: 12, PayerName: "<x>",
				PurchaseID: purchaseID, Raw: strings.Repeat("&", 2000), Received: 1_000_000_000_000}
			screens["payment "+name] = screen.SuspendedPayment(text, shown)
			subject := screen.SubjectOfPayment(text, shown)
			for _, question := range []string{"user", "amount", "note"} {
				for _, wrong := range []string{"", "user", "nobody", "several", "amount", "note"} {
					screens["assign "+question+wrong] = screen.AskMoney(text, "assign", question, wrong, screen.VerbAssignWhole, subject)
				}
			}
			screens["assign"] = screen.ConfirmMoney(text, "assign", screen.VerbAssigned,
				screen.MoneyAction{TelegramID: 12, Amount: 5, Note: long}, subject, atlas.DraftID(purchaseID))
			shown.Outcome, shown.Raw = atlas.Credited, ""
			screens["payment of somebody"+name] = screen.SuspendedPayment(text, shown)
			shown.ResolvedAt, shown.ReversedAt, shown.Note = &soon, &soon, long
			screens["payment resolved "+name] = screen.SuspendedPayment(text, shown)
		}
	}
	screens["no suspense"] = screen.Suspense(text, screen.PageOf([]sqlapi.SuspendedPayment{}, 8, true))
	screens["ask purchase"] = screen.AskPurchase(text, "nobody")
	for _, status := range []atlas.PurchaseStatus{"open", "paid", "expired", "cancelled", "refunded"} {
		for _, kind := range []atlas.PurchaseKind{atlas.SubscriptionPurchase, atlas.TopupPurchase} {
			p := sqlapi.UnpaidPurchase{PurchaseID: purchaseID, Kind: kind, Status: status, Tariff: "plus", Months: 12, Price: 229900, OpenedAt: soon}
			screens["unpaid"+string(status)] = screen.UnpaidPurchases(text, 12, "x", []sqlapi.UnpaidPurchase{p, p, p, p, p, p, p, p})
			shown := sqlapi.InspectedPurchase{UnpaidPurchase: p, TelegramID: 12, IsRefundable: true}
			screens[fmt.Sprint("inspect ", status, kind)] = screen.InspectedPurchase(text, shown)
			shown.PaidWith, shown.ClosedAt, shown.ManualAt, shown.RefundedAt = "manual", &soon, &soon, &soon
			screens[fmt.Sprint("inspect reversed ", status, kind)] = screen.InspectedPurchase(text, shown)
			shown.RefundedBy, shown.PaidWith = 12, "balance"
			screens[fmt.Sprint("inspect refunded ", status, kind)] = screen.InspectedPurchase(text, shown)
			action := screen.MoneyAction{Amount: 5, Note: long}
			for _, question := range []string{"amount", "note"} {
				screens["manual "+question] = screen.AskMoney(text, "manual", question, "", screen.VerbManualWhole, screen.SubjectOfManual(text, shown))
			}
			screens["manual"] = screen.ConfirmMoney(text, "manual", screen.VerbManualPaid, action, screen.SubjectOfManual(text, shown), atlas.DraftID(purchaseID))
			screens["refund note"] = screen.AskMoney(text, "refund", "note", "note", "", screen.SubjectOfRefund(text, shown))
			screens["refund"] = screen.ConfirmMoney(text, "refund", screen.VerbRefunded, action, screen.SubjectOfRefund(text, shown), atlas.DraftID(purchaseID))
		}
	}
	screens["nothing unpaid"] = screen.UnpaidPurchases(text, 12, "", nil)
	for _, isTried := range []bool{true, false} {
		k := sqlapi.UndeliveredKey{JobID: 12, TelegramID: 12, PromisedAt: soon, Attempts: 5, IsFailed: isTried, LastError: long}
		screens[fmt.Sprint("keys ", isTried)] = screen.UndeliveredKeys(text, isTried, screen.PageOf([]sqlapi.UndeliveredKey{k, k, k, k, k, k, k, k, k}, 8, false))
		screens[fmt.Sprint("no keys ", isTried)] = screen.UndeliveredKeys(text, isTried, screen.PageOf([]sqlapi.UndeliveredKey{}, 8, true))
	}
	for _, status := range []string{"waiting", "working", "failed", "delivered", "stale"} {
		j := sqlapi.ShownJob{JobID: 12, TelegramID: 12, PurchaseID: purchaseID, PromisedAt: soon, DueAt: soon, Status: status, LastError: strings.Repeat("<", 1000)}
		screens["key job "+status] = screen.KeyJob(text, j)
	}
}

// lost brings money that is nobody's, and gives the payment's number.
func (b *bundle) lost(t *testing.T, charge string, amount int64, currency atlas.Currency) int64 {
	t.Helper()
	provider := map[atlas.Currency]atlas.Provider{atlas.RUB: "cryptobot", atlas.XTR: "stars"}[currency]
	settled, err := b.openDB(t, harness.BotLogin).Billing.SettlePayment(b.ctx, sqlapi.SettlePaymentParams{
		Provider: provider, ChargeID: charge, PurchaseID: purchaseID, AmountMinor: amount, Currency: currency, Raw: []byte(`{"from":"<provider>"}`),
	})
	require.NoError(t, err)
	require.Equal(t, atlas.Suspense, settled.Outcome)
	return settled.PaymentID
}

// TestSuspense assigns lost money with something wrong at every step, a restart in the middle, and two admins at the end.
func TestSuspense(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	anna, bob := b.started(t, "Anna", "en"), b.started(t, "Bob", "en")
	b.named(t, anna, "anna_one")
	b.named(t, bob, "anna_two")
	one, two := b.admin(t, "One", "en"), b.admin(t, "Two", "ru")
	id := b.lost(t, "c1", 50000, atlas.RUB)
	b.send(t, one, "/admin")
	b.waitLast(t, one, "Payments in suspense: 1")
	b.press(t, one, "❓ Suspense")
	b.waitLast(t, one, "500 ₽ (")
	b.press(t, one, fmt.Sprintf("No. %d — 500 ₽", id))
	m := b.waitLast(t, one, "unknown purchase")
	require.Contains(t, m.Text, `{"from": "<provider>"}`)
	require.Contains(t, m.Text, "c1")
	b.press(t, one, "👤 Give it to a user")
	b.waitLast(t, one, "Whose money is it?")
	for wrong, answer := range map[string]string{"nobody_such": "There is no such user", "anna": "several users", "a\u0007": "neither a number nor a name"} {
		b.send(t, one, wrong)
		b.waitLast(t, one, answer)
	}
	b.send(t, one, "@Anna_One")
	b.waitLast(t, one, "How many roubles to credit?")
	b.send(t, one, "all")
	b.waitLast(t, one, "That is no amount")
	p.stop()
	b.startBot(t)
	b.startBot(t)
	b.send(t, one, "600")
	b.waitLast(t, one, "Why is it this user's?")
	b.send(t, one, strings.Repeat("n", 501))
	b.waitLast(t, one, "1 to 500 characters")
	b.send(t, one, "she wrote to us")
	m = b.waitLast(t, one, "Credit 600 ₽ to @anna_one")
	require.Contains(t, m.Text, "she wrote to us")
	require.Equal(t, "Not credited: more than was received", b.press(t, one, "✅ Credit it").Text)
	m = b.waitLast(t, one, "unknown purchase")
	require.Zero(t, b.available(t, anna))

	t.Log("left in the middle, then the whole amount, on two devices")
	assign := fmt.Sprintf("a_sus_give:%d", id)
	b.forge(t, one, m.MessageID, assign)
	b.waitLast(t, one, "Whose money is it?")
	b.send(t, one, "/start")
	b.waitLast(t, one, "Atlas Secure")
	b.send(t, one, "@anna_one")
	b.waitLast(t, one, "I understand buttons and commands")
	toConfirm := func(admin *person.Person, user, whole, question string) (int, string) {
		b.send(t, admin, "/admin")
		b.waitLast(t, admin, map[*person.Person]string{one: "Payments in suspense: 1", two: "Неопознанных платежей: 1"}[admin])
		b.forge(t, admin, b.lastMessage(t, admin).MessageID, assign)
		b.waitLast(t, admin, map[*person.Person]string{one: "Whose money is it?", two: "Чьи это деньги?"}[admin])
		b.send(t, admin, user)
		b.waitLast(t, admin, map[*person.Person]string{one: "How many roubles", two: "Сколько рублей"}[admin])
		b.press(t, admin, whole)
		b.waitLast(t, admin, map[*person.Person]string{one: "Why is it", two: "Почему именно"}[admin])
		b.send(t, admin, "words")
		return b.button(t, admin, b.waitButton(t, admin, question))
	}
	oneAt, oneYes := toConfirm(one, fmt.Sprint(anna.ID), "500 ₽", "✅ Credit it")
	twoAt, twoYes := toConfirm(two, "anna_two", "500 ₽", "✅ Зачислить")
	var both errgroup.Group
	both.Go(func() error { return b.tap(one, oneAt, oneYes) })
	both.Go(func() error { return b.tap(one, oneAt, oneYes) })
	both.Go(func() error { return b.tap(two, twoAt, twoYes) })
	require.NoError(t, both.Wait())
	require.Equal(t, 50000, b.available(t, anna)+b.available(t, bob), "once, to one of them")
	winner := map[bool]*person.Person{true: one, false: two}[b.available(t, anna) == 50000]
	b.waitLast(t, one, "500 ₽ credited to ")
	require.Contains(t, b.lastMessage(t, one).Text, "by "+fmt.Sprint(winner.ID))
	b.waitLast(t, two, "Зачислил: "+fmt.Sprint(winner.ID))
	b.reconciled(t)
	b.forge(t, one, oneAt, assign)
	b.waitLast(t, one, "500 ₽ credited to ")
	b.isInNoDialogue(t, one)
}

// waitButton waits until the newest message has a button.
func (b *bundle) waitButton(t *testing.T, p *person.Person, label string) string {
	t.Helper()
	require.Eventually(t, func() bool {
		_, ok := person.FindButton(b.lastMessage(t, p), label)
		return ok
	}, patience, poll, "no button %q", label)
	return label
}

// TestSuspenseInStars: what Stars are worth is for the admin to say; there is no button with the whole amount.
func TestSuspenseInStars(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna, boss := b.started(t, "Anna", "en"), b.admin(t, "Boss", "en")
	id := b.lost(t, "s1", 88, atlas.XTR)
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Payments in suspense: 1")
	b.forge(t, boss, b.lastMessage(t, boss).MessageID, fmt.Sprintf("a_sus_give:%d", id))
	b.waitLast(t, boss, "⭐ 88")
	b.forge(t, boss, b.lastMessage(t, boss).MessageID, "a_sus_whole")
	b.waitLast(t, boss, "Whose money is it?")
	b.send(t, boss, fmt.Sprint(anna.ID))
	m := b.waitLast(t, boss, "How many roubles to credit?")
	b.forge(t, boss, m.MessageID, "a_sus_whole")
	b.waitLast(t, boss, "That is no amount")
	b.send(t, boss, "149,60")
	b.waitLast(t, boss, "Why is it this user's?")
	b.forge(t, boss, m.MessageID, "a_sus_whole")
	b.waitLast(t, boss, "Why is it this user's?")
	b.send(t, boss, "88 Stars")
	b.waitLast(t, boss, "Credit 149.60 ₽ to")
	b.forge(t, boss, m.MessageID, "a_sus_whole")
	b.send(t, boss, "yes")
	b.waitLast(t, boss, "Credit 149.60 ₽ to")
	b.press(t, boss, "✅ Credit it")
	b.waitLast(t, boss, "149.60 ₽ credited to")
	require.Equal(t, 14960, b.available(t, anna))
	b.reconciled(t)
}

// TestManualPayment books money for an expired purchase, says so the second time, and gives it back.
func TestManualPayment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna, boss := b.started(t, "Anna", "en"), b.admin(t, "Boss", "en")
	b.press(t, anna, "Buy VPN")
	b.press(t, anna, "Basic")
	b.press(t, anna, "1 month — 149 ₽")
	b.waitCount(t, 1, `select count(*)::int from billing.purchase`)
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Payments in suspense")
	b.press(t, boss, "💵 Manual payment")
	b.waitLast(t, boss, "Type a purchase's id")
	for wrong, answer := range map[string]string{"nobody_such": "There is no such user", "a\u0007": "neither a number nor a name"} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, answer)
	}
	b.send(t, boss, string(purchaseID))
	b.waitLast(t, boss, "This purchase was not found. P")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Payments in suspense")
	b.press(t, boss, "💵 Manual payment")
	b.waitLast(t, boss, "Type a purchase's id")
	b.send(t, boss, fmt.Sprint(anna.ID))
	b.waitLast(t, boss, "Unpaid purchases of "+fmt.Sprint(anna.ID))
	b.press(t, boss, "Basic, 1 month — 149 ₽")
	b.waitLast(t, boss, "The purchase is open")
	b.press(t, boss, "💵 The money has come")
	b.waitLast(t, boss, "How many roubles have come?")
	b.send(t, boss, "0")
	b.waitLast(t, boss, "That is no amount")
	b.press(t, boss, "149 ₽")
	b.waitLast(t, boss, "Where did the money come from")
	b.send(t, boss, "bank transfer")
	b.waitLast(t, boss, "Confirm that 149 ₽ has come?")
	require.Zero(t, b.count(t, `select count(*)::int from billing.payment`))
	at, yes := b.button(t, boss, "✅ The money has come")
	b.together(t, boss, at, yes)
	m := b.waitLast(t, boss, "149 ₽ confirmed by "+fmt.Sprint(boss.ID))
	_, again := person.FindButton(m, "💵 The money has come")
	require.False(t, again)
	require.Equal(t, 1, b.count(t, `select count(*)::int from billing.purchase where status = 'paid' and paid_with = 'manual'`))
	b.reconciled(t)

	t.Log("by another admin who was slower")
	other := b.admin(t, "Other", "en")
	var id string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select purchase_id::text from billing.purchase`).Scan(&id))
	b.forge(t, other, b.lastMessage(t, other).MessageID, "a_pu_paid:"+id)
	b.waitLast(t, other, "149 ₽ confirmed by "+fmt.Sprint(boss.ID))

	b.press(t, other, "↩️ Give the money back")
	b.waitLast(t, other, "Why is it given back?")
	b.send(t, other, "unhappy")
	b.waitLast(t, other, "Give the whole price back to the balance")
	at, yes = b.button(t, other, "✅ Give it back")
	b.together(t, other, at, yes)
	b.waitLast(t, other, "149 ₽ went back to the balance, by "+fmt.Sprint(other.ID))
	require.Equal(t, 14900, b.available(t, anna))
	b.forge(t, boss, b.lastMessage(t, boss).MessageID, "a_pu_back:"+id)
	b.waitLast(t, boss, "went back to the balance, by "+fmt.Sprint(other.ID))
	b.reconciled(t)
}

// TestUndeliveredKeys: an admin sees whose key did not come and why, has it tried again, and the user gets it.
func TestUndeliveredKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna, boss := b.started(t, "Anna", "en"), b.admin(t, "Boss", "en")
	b.credit(t, anna, 149)
	b.press(t, anna, "Buy VPN")
	b.press(t, anna, "Basic")
	b.press(t, anna, "1 month — 149 ₽")
	b.press(t, anna, "Pay from the balance")
	b.waitCount(t, 1, `select count(*)::int from outbox.task where kind = 'provision'`)
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Keys on their way: 1")
	b.press(t, boss, "🔑 VPN keys")
	b.waitLast(t, boss, "Keys on their way: 1")
	b.press(t, boss, "Tried in vain")
	b.waitLast(t, boss, "No failures")
	b.press(t, boss, "Not begun")
	b.waitLast(t, boss, fmt.Sprint(anna.ID))
	db := b.openDB(t, harness.WorkerLogin)
	for range 5 {
		_, err := b.db.Owner.Exec(b.ctx, `update outbox.task set due_at = core.now() where kind = 'provision'`)
		require.NoError(t, err)
		jobs, err := db.VPN.ClaimJobs(b.ctx, "test", 1, time.Minute)
		require.NoError(t, err)
		require.Len(t, jobs, 1)
		_, err = db.VPN.FailJob(b.ctx, jobs[0], "the node <says> no")
		require.NoError(t, err)
	}
	b.press(t, boss, "Tried in vain")
	b.waitLast(t, boss, "❌ "+fmt.Sprint(anna.ID))
	b.press(t, boss, "❌ "+fmt.Sprint(anna.ID))
	m := b.waitLast(t, boss, "Given up, there is no key")
	require.Contains(t, m.Text, "the node <says> no")
	b.press(t, boss, "🧾 Purchase and refund")
	b.waitLast(t, boss, "The purchase is paid")
	_, canRefund := person.FindButton(b.lastMessage(t, boss), "↩️ Give the money back")
	require.True(t, canRefund)
	retry, ok := person.FindButton(m, "🔁 Try now")
	require.True(t, ok)
	require.Equal(t, "It will be tried in a moment", b.forge(t, boss, m.MessageID, retry.CallbackData).Text)
	b.waitLast(t, boss, "Next attempt")
	b.startWorker(t)
	b.sees(t, anna, "vless://")
	require.Equal(t, "There is nothing to try, see the screen", b.forge(t, boss, m.MessageID, retry.CallbackData).Text)
	b.sees(t, boss, "The key is delivered")
	for _, odd := range []string{"a_key_job", "a_key_job:1", "a_key_job:1.", "a_key_job:x.1", "a_key_retry:1.0", "a_keys:1", "a_keys_new:-1.5"} {
		require.Contains(t, b.forge(t, boss, m.MessageID, odd).Text, "earlier", odd)
	}
	b.reconciled(t)
}
