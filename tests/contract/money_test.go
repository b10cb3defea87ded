package contract_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func moneyFunctions() []function {
	settled := "payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint, " +
		"subscription_expires_at timestamptz, is_replay boolean"
	return []function{
		{name: "billing.refund_purchase", allowed: "admin", switche: "admin_actions",
			returns: "purchase_id uuid, refunded_kopecks bigint, subscription_expires_at timestamptz, is_replay boolean",
			args:    func(w world) A { return refund(boss, w.paid) },
			bad: map[string][]bad{
				"p_reason": {refuse("22023", nil, "", strings.Repeat("r", 1001), long), accept(control)}}},
		{name: "billing.reverse_payment", allowed: "payments",
			returns: "payment_id bigint, outcome text, debt_kopecks bigint, is_replay boolean",
			args:    func(world) A { return reversal("cryptobot", "lost", 500, "RUB") },
			bad: map[string][]bad{
				"p_provider":     {refuse("PY001", nil, "", "manual", "paypal", "Stars", long, control)},
				"p_charge_id":    {refuse("22023", nil, "", strings.Repeat("c", 257), long), accept(control)},
				"p_amount_minor": {refuse("22023", nil, 0, -1, math.MinInt64), accept(1, math.MaxInt64)},
				"p_currency":     {refuse("22023", nil, "", strings.Repeat("c", 17), long), accept("USD", control)},
				"p_raw":          {accept(nil, "{}", `"text"`)}}},
		{name: "billing.begin_refund", allowed: "admin payments", switche: "admin_actions",
			returns: "payment_id bigint, payer_id bigint, amount_minor bigint, currency text, outcome text, is_replay boolean",
			args:    func(world) A { return giveBack(boss, "cryptobot", "lost") },
			bad: map[string][]bad{
				"p_provider":  {refuse("PY001", nil, "", "manual", "paypal", "Stars", long, control)},
				"p_charge_id": {refuse("22023", nil, "", "no such charge", strings.Repeat("c", 257), long)}}},
		{name: "billing.resolve_suspense", allowed: "admin", switche: "admin_actions",
			returns: "payment_id bigint, outcome text, is_replay boolean",
			args:    func(w world) A { return resolve(boss, w.suspense, anna, 500) },
			bad: map[string][]bad{
				"p_payment_id": {refuse("22023", nil, 0, -1), refuse("PY002", math.MaxInt64)},
				"p_amount_kopecks": {refuse("22023", 0, -1, 501, 1_000_000_000_001, math.MaxInt64),
					accept(nil, 1, 499)}}},
		{name: "billing.approve_manual", allowed: "admin", switche: "admin_actions", returns: settled,
			args: func(w world) A { return manual(boss, w.open, desk.Plus1) }},
		{name: "wallet.balance_at", reads: true, allowed: "admin auditor",
			returns: "available_kopecks bigint, held_kopecks bigint",
			args:    func(world) A { return A{"p_telegram_id": anna, "p_at": "2027-01-01"} },
			bad:     map[string][]bad{"p_at": {refuse("22023", nil), accept("-infinity", "infinity")}}},
		{name: "ops.rebuild_wallet",
			returns: "telegram_id bigint, was_different boolean, available_before_kopecks bigint, " +
				"held_before_kopecks bigint, debt_before_kopecks bigint, version_before bigint, " +
				"available_kopecks bigint, held_kopecks bigint, debt_kopecks bigint, version bigint",
			args: func(world) A { return A{"p_telegram_id": anna} }},
	}
}

// refund is the arguments of billing.refund_purchase.
func refund(admin int, purchase any) A {
	return A{"p_admin_id": admin, "p_purchase_id": purchase, "p_reason": "asked for it"}
}

// reversal is the arguments of billing.reverse_payment.
func reversal(provider, charge string, amount int, currency string) A {
	return A{"p_provider": provider, "p_charge_id": charge, "p_amount_minor": amount, "p_currency": currency,
		"p_raw": `{"from": "provider"}`}
}

// resolve is the arguments of billing.resolve_suspense.
func resolve(admin int, payment any, user int, kopecks any) A {
	return A{"p_admin_id": admin, "p_payment_id": payment, "p_telegram_id": user, "p_amount_kopecks": kopecks,
		"p_note": "it is hers"}
}

// manual is the arguments of billing.approve_manual.
func manual(admin int, purchase any, kopecks int) A {
	return A{"p_admin_id": admin, "p_purchase_id": purchase, "p_amount_kopecks": kopecks, "p_note": "by bank"}
}

// reverse takes a payment of Crypto Pay back and gives the answer without the number of the payment.
func (b *bundle) reverse(charge string, kopecks int) Row {
	b.Helper()
	row := b.One("billing.reverse_payment", reversal("cryptobot", charge, kopecks, "RUB"))
	require.IsType(b, 0, row["payment_id"])
	delete(row, "payment_id")
	return row
}

func reversed(debt int, isReplay bool) Row {
	return Row{"outcome": "reversed", "debt_kopecks": debt, "is_replay": isReplay}
}

// admin makes somebody an admin.
func (b *bundle) admin(id int) {
	b.Helper()
	b.One("account.grant_admin", A{"p_telegram_id": id, "p_note": "admin"})
}

// balances are a user's available money and debt.
func (b *bundle) balances(id int) [2]int {
	b.Helper()
	row := b.One("wallet.balance", A{"p_telegram_id": id})
	return [2]int{row["available_kopecks"].(int), row["debt_kopecks"].(int)}
}

// state is what counts of a subscription.
func (b *bundle) state(id int) Row {
	b.Helper()
	return pick(b.subscription(id), "status", "tariff", "expires_at", "auto_renew")
}

// statusOf is the status of a purchase.
func (b *bundle) statusOf(purchase any) any {
	b.Helper()
	return b.owner.Value("select status::text from billing.purchase where purchase_id = $1", purchase)
}

// referred registers a customer whom anna has invited, with some money.
func (b *bundle) referred(id, kopecks int) {
	b.Helper()
	code := b.One("account.profile", A{"p_telegram_id": anna})["referral_code"].(string)
	row := b.One("account.register", A{"p_telegram_id": id, "p_username": nil, "p_language": "en",
		"p_start_payload": "ref_" + code})
	require.Equal(b, anna, row["referrer_id"])
	b.Credit(id, kopecks)
}

// cashback are the tasks for a purchase's cashback, oldest first.
func (b *bundle) cashback(purchase any) []Row {
	b.Helper()
	return b.owner.Query(`select telegram_id, name, amount_kopecks, other_id from outbox.task
		where kind = 'cashback' and purchase_id = $1 order by task_id`, purchase)
}

func TestRefundGivesTheWholePriceBack(t *testing.T) {
	b := setup(t)
	const carol = 1003
	b.referred(carol, desk.Rich)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.Buy(carol, "basic", 1, "k")["purchase_id"].(string)
	first := b.One("billing.refund_purchase", refund(boss, id))
	require.Equal(t, Row{"purchase_id": id, "refunded_kopecks": desk.Basic1, "subscription_expires_at": nil,
		"is_replay": false}, first)
	require.Equal(t, [2]int{desk.Rich, 0}, b.balances(carol))
	require.Equal(t, "none", b.subscription(carol)["status"], "as before the first purchase")
	require.Equal(t, "refunded", b.One("billing.show_purchase", desk.Mine(carol, id))["status"])
	require.Equal(t, []Row{
		{"telegram_id": anna, "name": "reward", "amount_kopecks": desk.Basic1, "other_id": carol},
		{"telegram_id": anna, "name": "clawback", "amount_kopecks": desk.Basic1, "other_id": carol},
	}, b.cashback(id))
	require.Equal(t, []string{"payment_applied", "refunded"}, b.messages(carol))
	require.Equal(t, []Row{{"actor_id": boss, "subject_id": "purchase:" + id, "reason": "asked for it"}},
		b.Query(`select actor_id, subject_id, details ->> 'reason' as reason from audit.event
			where action = 'billing.refund_purchase'`))
	require.Equal(t, []Row{{"name": "add"}, {"name": "remove"}}, b.owner.Query(`select name from outbox.task
		where telegram_id = $1 and kind = 'provision' order by task_id`, carol))

	b.owner.At(at.AddDate(0, 0, 1))
	b.Buy(carol, "plus", 1, "k2")
	first["is_replay"] = true
	require.Equal(t, first, b.One("billing.refund_purchase", refund(boss, id).With("p_reason", "other words")),
		"the first answer again, whatever happened since")
	b.admin(bert)
	refusal := b.Refused("PU003", "billing.refund_purchase", refund(bert, id))
	require.Contains(t, refusal.Detail, "refund by admin 1 at 2027-03-05")
}

func TestOnlyPaidSubscriptionsAreRefunded(t *testing.T) {
	b := setup(t)
	topup := b.Topup(bert, 25000, "topup")
	b.Settle("t", topup, 25000)
	cancelled := b.Open(anna, "basic", 1, "cancelled")
	b.One("billing.cancel_purchase", desk.Mine(anna, cancelled))
	reversed := b.Open(anna, "basic", 1, "reversed")
	b.Settle("c", reversed, desk.Basic1)
	b.reverse("c", desk.Basic1)
	for what, id := range map[string]string{"is open": b.Open(anna, "basic", 1, "open"), "is a top-up": topup,
		"is cancelled": cancelled, "reversal by the provider": reversed} {
		require.Contains(t, b.Refused("PU003", "billing.refund_purchase", refund(boss, id)).Detail, what)
	}
	b.Refused("PU001", "billing.refund_purchase", refund(boss, unknown))
	b.Refused("US003", "billing.refund_purchase", refund(anna, topup))
}

func TestRefundOfNothingPaid(t *testing.T) {
	b := setup(t)
	const carol = 1003
	b.referred(carol, 1)
	id := b.Open(carol, "basic", 1, "free")
	b.owner.Query("update billing.purchase set price_kopecks = 0 where purchase_id = $1", id)
	b.Pay(carol, id)
	require.Equal(t, 0, b.One("billing.refund_purchase", refund(boss, id))["refunded_kopecks"])
	require.Equal(t, [2]int{1, 0}, b.balances(carol))
	require.Empty(t, b.cashback(id))
	require.Equal(t, "none", b.subscription(carol)["status"])
}

func TestRefundOfTheLatestRestoresTheStateBefore(t *testing.T) {
	b := setup(t)
	b.Credit(anna, 10_000_000)
	at := time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	year := b.Buy(anna, "basic", 12, "year")["purchase_id"]
	b.owner.Query("update subscription.subscription set auto_renew = true")
	before := b.state(anna)
	identity := b.subscription(anna)["vpn_uuid"]
	b.owner.At(at.AddDate(0, 1, 0))
	up := b.Buy(anna, "plus", 1, "up")["purchase_id"]
	down := b.Buy(anna, "basic", 3, "down")["purchase_id"]
	b.owner.At(at.AddDate(0, 1, 1))
	b.One("billing.refund_purchase", refund(boss, down))
	require.Equal(t, "plus", b.subscription(anna)["tariff"])
	end := b.One("billing.refund_purchase", refund(boss, up))["subscription_expires_at"]
	require.Equal(t, b.Ends(anna), end)
	before["auto_renew"] = false
	require.Equal(t, before, b.state(anna), "end and tariff, to the microsecond; auto-renewal stops")
	require.Equal(t, identity, b.subscription(anna)["vpn_uuid"])
	b.One("billing.refund_purchase", refund(boss, year))
	require.Equal(t, "none", b.subscription(anna)["status"])
}

func TestRefundOfAnEarlierOneTakesItsPeriodAway(t *testing.T) {
	b := setup(t)
	b.Credit(anna, 10_000_000)
	at := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	b.owner.At(at)
	short := b.Buy(anna, "basic", 1, "28 days")["purchase_id"]
	b.Buy(anna, "basic", 3, "longer")
	end := b.Ends(anna)
	b.owner.At(at.AddDate(0, 0, 5))
	require.Equal(t, end.AddDate(0, 0, -28), b.One("billing.refund_purchase", refund(boss, short))["subscription_expires_at"])
	require.Equal(t, "active", b.subscription(anna)["status"])

	b.owner.At(end.AddDate(0, 0, -40))
	late := b.Buy(anna, "basic", 1, "again")["purchase_id"]
	b.Buy(anna, "basic", 1, "and again")
	b.owner.At(end.AddDate(0, 0, -20))
	end = b.Ends(anna)
	b.One("billing.refund_purchase", refund(boss, late))
	require.Equal(t, end.AddDate(0, 0, -30), b.Ends(anna), "the last month is still there")
}

func TestRefundOfWhatIsUsedUpTakesNothingOfWhatCameAfter(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	used := b.Buy(anna, "basic", 1, "used")["purchase_id"]
	b.owner.At(at.AddDate(0, 2, 0))
	fresh := b.Buy(anna, "basic", 1, "fresh")["purchase_id"]
	b.owner.At(at.AddDate(0, 2, 3))
	b.One("billing.refund_purchase", refund(boss, used))
	require.Equal(t, at.AddDate(0, 3, 0), b.Ends(anna))

	b.owner.At(at.AddDate(0, 4, 0))
	expired := b.state(anna)
	require.Equal(t, "expired", expired["status"])
	require.Equal(t, at.AddDate(0, 3, 0), b.One("billing.refund_purchase", refund(boss, fresh))["subscription_expires_at"])
	require.Equal(t, expired, b.state(anna), "what is over stays as it is")
}

// TestRefundRestoresNothingFromBeforeAnEnd: what was over before a purchase does not come back with its refund, even
// where an undone upgrade had made it shorter.
func TestRefundRestoresNothingFromBeforeAnEnd(t *testing.T) {
	b := setup(t)
	b.Credit(anna, 10_000_000)
	at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 12, "year")
	up := b.Buy(anna, "plus", 1, "up")["purchase_id"]
	b.owner.At(at.AddDate(0, 0, 220))
	over := b.state(anna)
	require.Equal(t, "expired", over["status"])
	b.One("billing.refund_purchase", refund(boss, up))
	again := b.Buy(anna, "basic", 1, "again")["purchase_id"]
	b.One("billing.refund_purchase", refund(boss, again))
	require.Equal(t, over, b.state(anna))
}

func TestRefundNeverEndsBeforeNow(t *testing.T) {
	b := setup(t)
	b.Credit(anna, 10_000_000)
	at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	long := b.Buy(anna, "basic", 12, "long")["purchase_id"]
	b.Buy(anna, "basic", 1, "short")
	now := at.AddDate(1, 0, 10)
	b.owner.At(now)
	require.Equal(t, now, b.One("billing.refund_purchase", refund(boss, long))["subscription_expires_at"])
	require.Equal(t, "expired", b.subscription(anna)["status"])
}

// TestRefundConvertsAnEarlierPeriod: a period that was converted with what was left is taken away as it is now.
func TestRefundConvertsAnEarlierPeriod(t *testing.T) {
	b := setup(t)
	b.Credit(anna, 10_000_000)
	at := time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	basic := b.Buy(anna, "basic", 12, "basic")["purchase_id"]
	b.Buy(anna, "plus", 1, "plus")
	b.One("billing.refund_purchase", refund(boss, basic))
	require.Equal(t, at.AddDate(0, 1, 0), b.Ends(anna), "the month of plus is left, whole")
}

func TestReversalOfEveryOutcome(t *testing.T) {
	b := setup(t)
	for i, test := range []struct {
		name     string
		purchase func(user int) any
		amount   int
		between  func(user int, purchase any) // what happens between payment and reversal
		left     [2]int
		debt     int
		messages []string
		status   any
	}{
		{name: "a subscription", amount: desk.Basic1, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			messages: []string{"payment_applied", "payment_reversed"}, status: "refunded"},
		{name: "overpaid", amount: desk.Basic1 + 700, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			messages: []string{"payment_credited", "payment_applied", "payment_reversed"}, status: "refunded"},
		{name: "short by 50 kopecks", amount: desk.Basic1 - 50, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			messages: []string{"payment_applied", "payment_reversed"}, status: "refunded"},
		{name: "a top-up", amount: 25000, purchase: func(u int) any { return b.Topup(u, 25000, "k") },
			messages: []string{"payment_credited", "payment_reversed"}, status: "paid"},
		{name: "a top-up that was spent", amount: 25000, purchase: func(u int) any { return b.Topup(u, 25000, "k") },
			between: func(u int, _ any) { b.Buy(u, "basic", 1, "spend") }, left: [2]int{0, desk.Basic1}, debt: desk.Basic1,
			messages: []string{"payment_credited", "payment_applied", "payment_reversed"}, status: "paid"},
		{name: "underpaid", amount: 5000, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			messages: []string{"payment_credited", "payment_reversed"}, status: "open"},
		{name: "refunded before", amount: desk.Basic1, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			between:  func(_ int, p any) { b.One("billing.refund_purchase", refund(boss, p)) },
			messages: []string{"payment_applied", "refunded", "payment_reversed"}, status: "refunded"},
		{name: "refunded before, short by 50 kopecks", amount: desk.Basic1 - 50,
			purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			between:  func(_ int, p any) { b.One("billing.refund_purchase", refund(boss, p)) },
			messages: []string{"payment_applied", "refunded", "payment_reversed"}, status: "refunded"},
		{name: "refunded before, overpaid and spent", amount: desk.Basic1 + 100,
			purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			between: func(u int, p any) {
				b.One("billing.refund_purchase", refund(boss, p))
				b.Buy(u, "basic", 1, "spend")
			}, left: [2]int{0, desk.Basic1}, debt: desk.Basic1,
			messages: []string{"payment_credited", "payment_applied", "refunded", "payment_applied", "payment_reversed"},
			status:   "refunded"},
		{name: "a paid purchase", amount: desk.Basic1, purchase: func(u int) any {
			b.One("wallet.credit", by(boss, u, desk.Basic1, "n", "n"))
			id := b.Open(u, "basic", 1, "k")
			b.Pay(u, id)
			return id
		}, messages: []string{"payment_applied", "payment_credited", "payment_reversed"}, status: "paid"},
	} {
		user := 3000 + i
		b.User(user)
		id := test.purchase(user)
		b.Settle(test.name, id, test.amount)
		if test.between != nil {
			test.between(user, id)
		}
		require.Equal(t, reversed(test.debt, false), b.reverse(test.name, test.amount), test.name)
		require.Equal(t, test.left, b.balances(user), test.name)
		require.Equal(t, test.messages, b.messages(user), test.name)
		require.Equal(t, test.status, b.statusOf(id), test.name)
		require.Equal(t, []Row{{"amount_kopecks": test.amount, "debt": fmt.Sprint(test.debt)}}, b.owner.Query(`
			select amount_kopecks, arguments ->> 'debt_kopecks' as debt from outbox.task
			where telegram_id = $1 and name = 'payment_reversed'`, user), test.name)
		before := b.fingerprint()
		require.Equal(t, reversed(test.debt, true), b.reverse(test.name, test.amount), test.name)
		require.Equal(t, before, b.fingerprint(), "%s: a replay changes nothing", test.name)
		require.Equal(t, settled("reversed", user, 0, nil, true), b.settle(rub(test.name, id, nil, test.amount)), test.name)
	}
	require.Empty(t, b.alarms())
}

func TestReversalTakesThePeriodAndTheCashbackBack(t *testing.T) {
	b := setup(t)
	const carol = 1003
	b.referred(carol, desk.Rich)
	id := b.Open(carol, "basic", 1, "1")
	b.Settle("c", id, desk.Basic1)
	b.Buy(carol, "basic", 1, "2")
	end := b.Ends(carol)
	first := end.AddDate(0, 0, -1)
	require.Equal(t, reversed(0, false), b.reverse("c", desk.Basic1))
	require.Less(t, b.Ends(carol), first)
	require.Equal(t, "active", b.subscription(carol)["status"], "what was paid otherwise stays")
	require.Len(t, b.cashback(id), 2)
	require.Equal(t, Row{"kind": "reversal", "actor_id": nil, "refunded_kopecks": 0}, b.owner.Query(
		"select kind::text, actor_id, refunded_kopecks from billing.refund where purchase_id = $1", id)[0])
}

func TestE15ReversalAfterRenewal(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Settle("first", b.Open(bert, "basic", 1, "1"), desk.Basic1)
	b.Settle("second", b.Open(bert, "basic", 1, "2"), desk.Basic1)
	b.owner.At(at.AddDate(0, 1, 15))
	require.Equal(t, reversed(0, false), b.reverse("first", desk.Basic1))
	require.Equal(t, "expired", b.subscription(bert)["status"], "a month was used, and a month is paid")
	require.Equal(t, reversed(0, false), b.reverse("second", desk.Basic1))
	require.Equal(t, [2]int{0, 0}, b.balances(bert))
}

func TestE15ReversalBeforeItsPayment(t *testing.T) {
	b := setup(t)
	id := b.Open(bert, "basic", 1, "k")
	require.Equal(t, reversed(0, false), b.reverse("c", desk.Basic1))
	require.Equal(t, reversed(0, true), b.reverse("c", desk.Basic1))
	require.Equal(t, settled("reversed", nil, 0, nil, true), b.settle(rub("c", id, nil, desk.Basic1)))
	require.Equal(t, reversed(0, true), b.reverse("c", desk.Basic1))
	require.Equal(t, "open", b.statusOf(id))
	require.Empty(t, b.messages(bert))
	require.Empty(t, b.alarms())
	require.Equal(t, "applied", b.settle(rub("another", id, nil, desk.Basic1))["outcome"], "it can still be paid")
}

func TestReversalWithAnotherAmountIsOfTheWhole(t *testing.T) {
	b := setup(t)
	b.Settle("c", b.Topup(bert, 25000, "k"), 25000)
	require.Equal(t, reversed(0, false), b.reverse("c", 100))
	require.Equal(t, [2]int{0, 0}, b.balances(bert))
	require.Equal(t, []string{"payment_amount_differs"}, b.alarms())
}

// TestChargeThatMoves: a charge that is given to a user between the two looks has to be looked at again.
func TestChargeThatMoves(t *testing.T) {
	b := setup(t)
	for function, args := range map[string]A{
		"billing.begin_refund":    {"p_admin_id": boss, "p_provider": "cryptobot", "p_charge_id": "refund", "p_reason": "why"},
		"billing.reverse_payment": reversal("cryptobot", "reverse", 500, "RUB"),
	} {
		b.moveCharge(args["p_charge_id"].(string), func() error { _, err := b.Try(function, args); return err })
		desk.Met(function, "40001")
		b.One(function, args)
	}
	require.Equal(t, 500, b.Available(bert), "one of the two charges is reversed")
}

// moveCharge gives a charge to Bert while a call has looked at whose it is, and sees it refused.
func (b *bundle) moveCharge(charge string, call func() error) {
	t := b.Desk.TB
	t.Helper()
	id := b.Settle(charge, unknown, 500)["payment_id"]
	ctx := context.Background()
	super, err := pgx.Connect(ctx, b.harness.DSN(harness.Superuser))
	require.NoError(t, err)
	defer func() { _ = super.Close(ctx) }()
	tx, err := b.harness.Owner.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	b.On(t, tx).One("billing.resolve_suspense", resolve(boss, id, bert, nil))

	done := make(chan error, 1)
	go func() { done <- call() }()
	require.Eventually(t, func() bool {
		return b.On(t, super).Value(`select exists (select from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`) == true
	}, 20*time.Second, 2*time.Millisecond)
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, "40001", desk.Code(<-done))
}

func TestReversalIsNeverSwitchedOff(t *testing.T) {
	b := setup(t)
	b.Settle("c", b.Topup(bert, 25000, "k"), 25000)
	b.owner.Query("update ops.feature set is_on = false")
	b.owner.Query("update billing.provider set is_offered = false")
	require.Equal(t, reversed(0, false), b.reverse("c", 25000))
}

func TestResolveSuspense(t *testing.T) {
	b := setup(t)
	b.admin(bert)
	id := b.Settle("c", unknown, 25000)["payment_id"]
	b.Refused("22023", "billing.resolve_suspense", resolve(boss, id, anna, 25001))
	b.Refused("US001", "billing.resolve_suspense", resolve(boss, id, nobody, nil))
	b.Refused("PY002", "billing.resolve_suspense", resolve(boss, 9999, anna, nil))
	first := b.One("billing.resolve_suspense", resolve(boss, id, anna, nil))
	require.Equal(t, Row{"payment_id": id, "outcome": "credited", "is_replay": false}, first)
	require.Equal(t, [2]int{desk.Rich + 25000, 0}, b.balances(anna))
	require.Equal(t, []Row{{"amount_kopecks": 25000, "reason": "suspense"}}, b.owner.Query(`select amount_kopecks,
		arguments ->> 'reason' as reason from outbox.task where telegram_id = $1 and name = 'payment_credited'`, anna))
	require.Equal(t, "payment:"+fmt.Sprint(id), b.Value("select subject_id from audit.event where action = 'billing.resolve_suspense'"))

	first["is_replay"] = true
	require.Equal(t, first, b.One("billing.resolve_suspense", resolve(boss, id, anna, nil)))
	require.Equal(t, first, b.One("billing.resolve_suspense", resolve(boss, id, anna, 25000)))
	for _, other := range []A{resolve(bert, id, anna, nil), resolve(boss, id, bert, nil), resolve(boss, id, anna, 24999)} {
		require.Contains(t, b.Refused("PY002", "billing.resolve_suspense", other).Detail,
			"credited, to telegram_id 1001, by admin 1 at 20")
	}
	require.Equal(t, settled("credited", anna, 25000, nil, true), b.settle(rub("c", unknown, nil, 25000)))
	b.One("wallet.debit", by(boss, anna, desk.Rich, "spent", "k"))
	b.One("wallet.debit", by(boss, anna, 5000, "spent", "k2"))
	require.Equal(t, reversed(5000, false), b.reverse("c", 25000))
	require.Equal(t, [2]int{0, 5000}, b.balances(anna))
	require.Equal(t, first, b.One("billing.resolve_suspense", resolve(boss, id, anna, nil)))
}

func TestResolveForeignMoney(t *testing.T) {
	b := setup(t)
	id := b.One("billing.settle_payment", rub("c", b.Open(anna, "basic", 1, "k"), nil, 200).With("p_currency", "USD"))["payment_id"]
	b.Refused("22023", "billing.resolve_suspense", resolve(boss, id, bert, nil))
	b.One("billing.resolve_suspense", resolve(boss, id, bert, 18000))
	require.Equal(t, [2]int{18000, 0}, b.balances(bert))

	large := b.Settle("large", b.Open(anna, "basic", 1, "k2"), 1_000_000_000_001)["payment_id"]
	b.Refused("22023", "billing.resolve_suspense", resolve(boss, large, bert, nil))
	require.Equal(t, reversed(0, false), b.reverse("large", 1_000_000_000_001), "out of suspense, too")
	require.Contains(t, b.Refused("PY002", "billing.resolve_suspense", resolve(boss, large, bert, 1)).Detail,
		"reversed, to telegram_id , by the provider at 20")
}

func TestApproveManual(t *testing.T) {
	b := setup(t)
	b.admin(bert)
	id := b.Open(anna, "basic", 1, "k")
	b.Refused("PU001", "billing.approve_manual", manual(boss, unknown, desk.Basic1))
	first := b.One("billing.approve_manual", manual(boss, id, desk.Basic1+100))
	require.Equal(t, Row{"payment_id": first["payment_id"], "outcome": "applied", "telegram_id": anna,
		"credited_kopecks": 100, "subscription_expires_at": b.Ends(anna), "is_replay": false}, first)
	first["is_replay"] = true
	require.Equal(t, first, b.One("billing.approve_manual", manual(boss, id, desk.Basic1+100)))
	require.Empty(t, b.alarms())
	require.Equal(t, first, b.One("billing.approve_manual", manual(boss, id, 1)))
	require.Equal(t, []string{"payment_amount_differs"}, b.alarms())
	require.Contains(t, b.Refused("PU003", "billing.approve_manual", manual(bert, id, desk.Basic1+100)).Detail,
		"approved by admin 1 at 20")
	require.Len(t, b.Query("select * from audit.event where action = 'billing.approve_manual'"), 1)

	topup := b.Topup(anna, 25000, "t")
	require.Equal(t, 30000, b.One("billing.approve_manual", manual(boss, topup, 30000))["credited_kopecks"])
	paid := b.Buy(anna, "basic", 1, "k2")["purchase_id"]
	require.Equal(t, "credited", b.One("billing.approve_manual", manual(boss, paid, desk.Basic1))["outcome"])
	late := b.Open(anna, "basic", 1, "k3")
	b.One("billing.cancel_purchase", desk.Mine(anna, late))
	require.Equal(t, "applied", b.One("billing.approve_manual", manual(boss, late, desk.Basic1))["outcome"])
	b.One("billing.refund_purchase", refund(boss, late))
}

func TestAnInvoiceIsOfOnePurchase(t *testing.T) {
	b := setup(t)
	one, other := b.Open(anna, "basic", 1, "1"), b.Open(bert, "basic", 1, "2")
	b.One("billing.attach_invoice", bill(one, "cryptobot", "inv", desk.Basic1, "RUB"))
	b.Refused("22023", "billing.attach_invoice", bill(other, "cryptobot", "inv", desk.Basic1, "RUB"))
	b.One("billing.attach_invoice", bill(other, "telegram", "inv", desk.Basic1, "RUB"))
	require.Equal(t, true, b.One("billing.attach_invoice", bill(one, "cryptobot", "inv", desk.Basic1, "RUB"))["is_replay"])
}

func TestBalanceAt(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.User(1003)
	for i, kopecks := range []int{100, 200, 300} {
		b.owner.At(at.Add(time.Duration(i) * time.Hour))
		b.One("wallet.credit", by(boss, 1003, kopecks, "n", fmt.Sprint(i)))
	}
	for moment, want := range map[time.Time]int{
		at.Add(-time.Microsecond): 0, at: 100, at.Add(59 * time.Minute): 100, at.Add(time.Hour): 300,
		at.Add(2 * time.Hour): 600, at.AddDate(1, 0, 0): 600,
	} {
		require.Equal(t, Row{"available_kopecks": want, "held_kopecks": 0},
			b.One("wallet.balance_at", A{"p_telegram_id": 1003, "p_at": moment}), moment)
	}
	plan := b.owner.Query(`explain select l.available_kopecks from ledger.transfer l
		where l.telegram_id = 1003 and l.created_at <= '2027-03-05 10:30 UTC' order by l.version desc limit 1`)
	require.Contains(t, fmt.Sprint(plan), "transfer_pkey")
}

func TestRebuildWallet(t *testing.T) {
	b := setup(t)
	b.Settle("c", b.Topup(bert, 25000, "k"), 25000)
	b.One("wallet.debit", by(boss, bert, 5000, "n", "n"))
	b.reverse("c", 25000)
	call := A{"p_telegram_id": bert}
	right := Row{"telegram_id": bert, "was_different": false, "available_before_kopecks": 0, "held_before_kopecks": 0,
		"debt_before_kopecks": 5000, "version_before": 4, "available_kopecks": 0, "held_kopecks": 0,
		"debt_kopecks": 5000, "version": 4}
	before := b.fingerprint()
	require.Equal(t, right, b.One("ops.rebuild_wallet", call))
	require.Equal(t, before, b.fingerprint(), "what is right stays as it is")

	b.owner.Query("update wallet.wallet set available_kopecks = 7, held_kopecks = 8, debt_kopecks = 9, version = 99 where telegram_id = $1", bert)
	wrong := b.One("ops.rebuild_wallet", call)
	require.Equal(t, Row{"telegram_id": bert, "was_different": true, "available_before_kopecks": 7,
		"held_before_kopecks": 8, "debt_before_kopecks": 9, "version_before": 99, "available_kopecks": 0,
		"held_kopecks": 0, "debt_kopecks": 5000, "version": 4}, wrong)
	require.Equal(t, right, b.One("ops.rebuild_wallet", call))
	b.owner.Query("delete from wallet.wallet where telegram_id = $1", bert)
	require.Equal(t, true, b.One("ops.rebuild_wallet", call)["was_different"])
	require.Equal(t, right, b.One("ops.rebuild_wallet", call))
	require.Len(t, b.Query("select * from audit.event where action = 'ops.rebuild_wallet'"), 2)
	b.Reconciled()
}
