package race_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func TestA1DoubleTap(t *testing.T) { doubleTap(setup(t)) }

func doubleTap(b *bundle) {
	user := b.customers(1, desk.Basic1*3/2)[0]
	id := b.Open(user, "basic", 1, "k")
	first := b.firstAndReplays(b.rush(times(50, b.bots, "billing.pay_from_balance", desk.Mine(user, id))...))
	require.Equal(b, desk.Basic1/2, first["available_kopecks"])
	require.Equal(b, desk.Basic1/2, b.Available(user))
	require.Equal(b, b.Ends(user), first["subscription_expires_at"])
	require.Equal(b, 1, b.count("ledger.transfer where reason = 'purchase'"))
	require.Equal(b, 1, b.count("outbox.task where kind = 'provision'"))
}

func TestA1SecondTapWaitsForTheFirst(t *testing.T) { secondTap(setup(t)) }

// secondTap lets the second tap come while the first is not committed: it has to wait, and then to see it.
func secondTap(b *bundle) {
	for function, args := range map[string]A{
		"billing.open_purchase": desk.Choice(anna, "basic", 1, "k"),
		"billing.open_topup":    {"p_telegram_id": anna, "p_amount_kopecks": 25000, "p_idempotency_key": "k"},
		"wallet.credit": {"p_telegram_id": anna, "p_amount_kopecks": 5, "p_admin_id": boss, "p_note": "n",
			"p_idempotency_key": "k"},
		"billing.pay_from_balance": desk.Mine(anna, b.Open(anna, "basic", 1, "paid")),
	} {
		var first Row
		a := b.locked(b.harness.DBA, func(d *desk.Desk) { first = d.One(function, args) }, call{b.bots[0], function, args}, func() {})
		require.NoError(b, a.err, function)
		first["is_replay"] = true
		require.Equal(b, []Row{first}, a.rows, function)
	}
}

func TestA1DoubleOpen(t *testing.T) { doubleOpen(setup(t)) }

func doubleOpen(b *bundle) {
	b.firstAndReplays(b.rush(times(20, b.bots, "billing.open_purchase", desk.Choice(anna, "basic", 1, "k"))...))
	b.firstAndReplays(b.rush(times(20, b.bots, "billing.open_topup",
		A{"p_telegram_id": anna, "p_amount_kopecks": 25000, "p_idempotency_key": "k"})...))
	require.Equal(b, 2, b.count("billing.purchase"))
	b.firstAndReplays(b.rush(times(20, b.bots, "wallet.credit", A{"p_telegram_id": anna, "p_amount_kopecks": 5,
		"p_admin_id": boss, "p_note": "n", "p_idempotency_key": "k"})...))
	require.Equal(b, desk.Rich+5, b.Available(anna))
}

func TestA2MoneyForOne(t *testing.T) { moneyForOne(setup(t)) }

func moneyForOne(b *bundle) {
	calls := []call{}
	users := b.customers(20, desk.Basic1*3/2)
	for _, user := range users {
		for i, key := range []string{"1", "2"} {
			calls = append(calls, call{b.bots[i], "billing.pay_from_balance",
				desk.Mine(user, b.Open(user, "basic", 1, key))})
		}
	}
	answers := b.rush(calls...)
	for i, user := range users {
		codes := map[string]int{}
		codes[answers[2*i].code()]++
		codes[answers[2*i+1].code()]++
		require.Equal(b, map[string]int{"": 1, "WA001": 1}, codes)
		require.Equal(b, desk.Basic1/2, b.Available(user))
	}
	require.Equal(b, len(users), b.count("outbox.task where kind = 'provision'"))
}

func TestA4CancelAgainstPayment(t *testing.T) { cancelOrPay(setup(t)) }

// cancelOrPay: whichever comes second is told what became of the purchase by the first.
func cancelOrPay(b *bundle) {
	b.issue("HOT", 5, 5)
	open := func(key string) A {
		return desk.Mine(anna, b.One("billing.open_purchase", with(anna, "HOT", key))["purchase_id"])
	}
	does := func(function string, purchase A) func(d *desk.Desk) {
		return func(d *desk.Desk) { d.One(function, purchase) }
	}
	const pay, cancel = "billing.pay_from_balance", "billing.cancel_purchase"
	first, second := open("1"), open("2")
	a := b.locked(b.bots[0], does(pay, first), call{b.bots[1], cancel, first}, func() {})
	require.Equal(b, "PU003", a.code(), "what is paid is not cancelled")
	a = b.locked(b.bots[0], does(cancel, second), call{b.bots[1], pay, second}, func() {})
	require.Equal(b, "PU003", a.code(), "what is cancelled is not paid")
	require.Equal(b, desk.Rich-discounted, b.Available(anna))
	require.Equal(b, 1, b.count("promo.use"))
}

func TestA5PriceChangesBetweenOpenAndPay(t *testing.T) { priceChange(setup(t)) }

func priceChange(b *bundle) {
	users := b.customers(20, desk.Rich)
	calls := []call{}
	for _, user := range users {
		calls = append(calls, call{b.bots[user%2], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "basic", 1, "k"))})
	}
	// The new price is written and not yet committed for some, committed for others.
	ctx := context.Background()
	tx, err := b.harness.Owner.Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(ctx) }()
	b.On(b, tx).Query("update billing.tariff_price set list_kopecks = list_kopecks * 3")
	answers := b.rush(calls[:10]...)
	require.NoError(b, tx.Commit(ctx))
	answers = append(answers, b.rush(calls[10:]...)...)
	for _, a := range answers {
		require.NoError(b, a.err)
		require.Equal(b, desk.Rich-desk.Basic1, a.rows[0]["available_kopecks"], "paying never recomputes the price")
	}
	require.Equal(b, 3*desk.Basic1, b.One("billing.open_purchase", desk.Choice(anna, "basic", 1, "k"))["price_kopecks"])
}

func TestA6ExpiryWhileWaitingForTheLock(t *testing.T) { expiryWhileWaiting(setup(t)) }

func expiryWhileWaiting(b *bundle) {
	id := b.Open(anna, "basic", 1, "k")
	a := b.locked(b.harness.DBA,
		func(d *desk.Desk) { d.One("account.set_language", A{"p_telegram_id": anna, "p_language": "en"}) },
		call{b.bots[0], "billing.pay_from_balance", desk.Mine(anna, id)},
		func() { b.owner.Later("31 minutes") })
	require.Equal(b, "PU002", a.code(), "the clock is read after the lock")
	require.Equal(b, desk.Rich, b.Available(anna))
}

func TestA7RepeatableReadSession(t *testing.T) { repeatableRead(setup(t)) }

func repeatableRead(b *bundle) {
	id := b.Open(anna, "basic", 1, "k")
	ctx := context.Background()
	tx, err := b.harness.DBA.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(ctx) }()
	old := b.On(b, tx)
	require.Equal(b, desk.Rich, old.Available(anna))

	require.Equal(b, desk.Rich-desk.Basic1, b.On(b, b.bots[0]).Pay(anna, id)["available_kopecks"])
	require.Equal(b, desk.Rich, old.Available(anna), "reading is allowed, and sees its own moment")
	require.Empty(b, old.On(b, b.harness.Auditor).Query("select * from ops.reconcile()"))
	old.Refused("OP001", "billing.pay_from_balance", desk.Mine(anna, id))
	require.Equal(b, desk.Rich-desk.Basic1, b.Available(anna))
}

func TestA8CarelessSQL(t *testing.T) { careless(setup(t)) }

func careless(b *bundle) {
	id := b.Open(anna, "basic", 1, "k")
	pay := fmt.Sprintf("billing.pay_from_balance(p_telegram_id => %d, p_purchase_id => '%s')", anna, id)
	credit := "wallet.credit(p_telegram_id => 1002, p_amount_kopecks => 100, p_admin_id => 1, p_note => 'n', " +
		"p_idempotency_key => 'once')"
	for _, sql := range []string{
		"select (f).* from (select " + pay + " as f offset 0) x",
		"select (" + pay + ").*",
		"explain analyze select * from " + pay,
		"select " + pay + " from generate_series(1, 10)",
		"with a as materialized (select * from " + pay + "), b as materialized (select * from " + pay + ") select * from a, b",
		"select (" + credit + ").*",
		"explain (analyze, buffers) select " + credit + " from generate_series(1, 5)",
		"select x.* from generate_series(1, 10) g cross join lateral " + credit + " x",
		"select (" + "billing.open_purchase(1002, 'basic', 1, null, 'once')" + ").* from generate_series(1, 3)",
	} {
		b.Query(sql)
	}
	require.Equal(b, desk.Rich-desk.Basic1, b.Available(anna))
	require.Equal(b, 100, b.Available(bert))
	require.Equal(b, 1, b.count("outbox.task where kind = 'provision'"))
	require.Equal(b, 1, b.count("billing.purchase where telegram_id = 1002"))
}

func TestT1SameUserRegistersAtOnce(t *testing.T) { registerAtOnce(setup(t)) }

func registerAtOnce(b *bundle) {
	code := b.One("account.profile", A{"p_telegram_id": anna})["referral_code"].(string)
	answers := b.rush(times(50, b.bots, "account.register", A{"p_telegram_id": 2000, "p_username": "neo",
		"p_language": "en", "p_start_payload": "ref_" + code})...)
	fresh := 0
	for _, a := range answers {
		require.NoError(b, a.err)
		require.Equal(b, anna, a.rows[0]["referrer_id"])
		if a.rows[0]["is_new"] == true {
			fresh++
		}
	}
	require.Equal(b, 1, fresh)
	require.Equal(b, 1, b.count("account.account where telegram_id = 2000"))
	require.Equal(b, 1, b.count("wallet.wallet where telegram_id = 2000"))
	require.Equal(b, 1, b.count("outbox.task where name = 'referral_joined'"))
}
