package contract_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
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
		{name: "billing.list_purchases", reads: true, allowed: "admin",
			returns: "purchase_id uuid, kind text, status text, tariff text, months integer, price_kopecks bigint, " +
				"opened_at timestamptz, paid_at timestamptz, paid_with text, can_be_refunded boolean, taken_back_at timestamptz, " +
				"taken_back_by bigint, taken_back_reason text",
			args: func(w world) A {
				return A{"p_admin_id": boss, "p_telegram_id": anna, "p_before_id": w.paid, "p_limit": 10}
			},
			bad: map[string][]bad{"p_before_id": {refuse("PU001", unknown), accept(nil)}}},
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

	t.Log("what was held and came back")
	b.One("withdrawal.cancel", A{"p_telegram_id": anna, "p_withdrawal_id": b.request(anna, least, "w")})
	require.Equal(t, false, b.One("ops.rebuild_wallet", A{"p_telegram_id": anna})["was_different"])
	b.Reconciled()
}
