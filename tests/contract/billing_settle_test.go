package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// settled is what settle_payment answers, without the number of the payment.
func settled(outcome string, user any, credited int, end any, isReplay bool) Row {
	return Row{"outcome": outcome, "telegram_id": user, "credited_kopecks": credited, "subscription_expires_at": end,
		"is_replay": isReplay}
}

// settle brings money and gives the answer without the number of the payment.
func (b *bundle) settle(args A) Row {
	b.Helper()
	row := b.One("billing.settle_payment", args)
	require.IsType(b, 0, row["payment_id"])
	delete(row, "payment_id")
	return row
}

func rub(charge string, purchase, payer any, kopecks int) A {
	return desk.Money("cryptobot", charge, purchase, payer, kopecks, "RUB")
}

func TestSettleApplies(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.Open(bert, "basic", 1, "k")
	first := b.One("billing.settle_payment", rub("c", id, nil, desk.Basic1))
	require.Equal(t, Row{"payment_id": first["payment_id"], "outcome": "applied", "telegram_id": bert,
		"credited_kopecks": 0, "subscription_expires_at": at.AddDate(0, 1, 0), "is_replay": false}, first)
	require.Equal(t, 0, b.Available(bert))
	require.Equal(t, []string{"payment_applied"}, b.messages(bert))

	b.Settle("another", b.Open(bert, "basic", 1, "k2"), desk.Basic1)
	first["is_replay"] = true
	for name, repeat := range map[string]A{
		"the same":                   rub("c", id, nil, desk.Basic1),
		"other raw text":             rub("c", id, nil, desk.Basic1).With("p_raw", nil),
		"the payer named this time":  rub("c", id, bert, desk.Basic1),
		"another payer":              rub("c", id, anna, desk.Basic1),
		"another purchase":           rub("c", unknown, nil, desk.Basic1),
		"no purchase and no account": rub("c", nil, nobody, desk.Basic1),
	} {
		require.Equal(t, first, b.One("billing.settle_payment", repeat), name)
	}
	require.Empty(t, b.alarms())
	require.Equal(t, 2, b.count("billing.payment"))
	require.Equal(t, Row{"from": "provider"}, Row(b.owner.Value(
		"select raw from billing.payment where charge_id = 'c'").(map[string]any)))
}

func TestRepeatWithAnotherAmountIsAnAlarm(t *testing.T) {
	b := setup(t)
	id := b.Open(anna, "basic", 1, "k")
	good := rub("c", id, nil, desk.Basic1)
	want := b.settle(good)
	want["is_replay"] = true
	require.Equal(t, want, b.settle(good.With("p_amount_minor", desk.Basic1+1)))
	require.Equal(t, want, b.settle(good.With("p_currency", "USD")))
	require.Equal(t, []string{"payment_amount_differs", "payment_amount_differs"}, b.alarms())
	require.Equal(t, []string{"admin_alarm", "admin_alarm"}, b.messages(boss))
	require.Equal(t, desk.Rich, b.Available(anna), "nothing more is credited")
	require.Equal(t, false, b.settle(desk.Money("telegram", "c", id, nil, 500, "RUB"))["is_replay"],
		"another provider's charge id is another charge")
}

func TestLateMoneyIsHonoured(t *testing.T) {
	for _, how := range []string{"over its time", "expired", "cancelled"} {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			id := b.Open(bert, "basic", 1, "k")
			b.owner.Query("update billing.tariff_price set list_kopecks = 99000")
			if how == "cancelled" {
				b.One("billing.cancel_purchase", desk.Mine(bert, id))
			} else {
				b.owner.Later("2 hours")
			}
			if how == "expired" {
				require.Equal(t, Row{"expired": 1}, b.One("billing.expire_due", A{"p_epoch": nil, "p_limit": 10}))
			}
			row := b.settle(rub("c", id, nil, desk.Basic1))
			require.Equal(t, settled("applied", bert, 0, b.Ends(bert), false), row, "at its recorded price")
			require.Equal(t, "paid", b.One("billing.show_purchase", desk.Mine(bert, id))["status"])
			require.Equal(t, settled("credited", bert, desk.Basic1, nil, false), b.settle(rub("c2", id, nil, desk.Basic1)))
		})
	}
}

func TestWhatDoesNotBuyGoesToTheBalance(t *testing.T) {
	b := setup(t)
	carol := 1003
	for name, test := range map[string]struct {
		payer    any
		amount   int
		before   func(id string)
		outcome  string
		user     int
		credited int
		reason   any
		status   string
	}{
		"exactly":                  {nil, desk.Basic1, nil, "applied", bert, 0, nil, "paid"},
		"by the owner":             {bert, desk.Basic1, nil, "applied", bert, 0, nil, "paid"},
		"overpaid":                 {nil, desk.Basic1 + 5000, nil, "applied", bert, 5000, "overpaid", "paid"},
		"short by a rouble":        {nil, desk.Basic1 - 100, nil, "applied", bert, 0, nil, "paid"},
		"short by more":            {nil, desk.Basic1 - 101, nil, "credited", bert, desk.Basic1 - 101, "underpaid", "open"},
		"one kopeck":               {nil, 1, nil, "credited", bert, 1, "underpaid", "open"},
		"by another user":          {carol, desk.Basic1, nil, "credited", carol, desk.Basic1, "other_payer", "open"},
		"paid from balance before": {nil, desk.Basic1, func(id string) { b.Pay(bert, id) }, "credited", bert, desk.Basic1, "already_paid", "paid"},
		"paid before": {nil, desk.Basic1, func(id string) { b.Settle("first "+id, id, desk.Basic1) },
			"credited", bert, desk.Basic1, "already_paid", "paid"},
		"by a blocked user": {nil, desk.Basic1, func(string) {
			b.owner.Query("update account.account set is_blocked = true where telegram_id = $1", bert)
		}, "credited", bert, desk.Basic1, "blocked", "open"},
	} {
		b.owner.Query("update account.account set is_blocked = false")
		b.User(carol)
		b.One("wallet.credit", by(boss, bert, desk.Basic1, "for "+name, name))
		id := b.Open(bert, "basic", 1, name)
		if test.before != nil {
			test.before(id)
		}
		before := b.Available(test.user)
		row := b.settle(rub(name, id, test.payer, test.amount))
		var end any
		if test.outcome == "applied" {
			end = b.Ends(bert)
		}
		require.Equal(t, settled(test.outcome, test.user, test.credited, end, false), row, name)
		require.Equal(t, before+test.credited, b.Available(test.user), name)
		require.Equal(t, test.status, b.owner.Value(
			"select status::text from billing.purchase where purchase_id = $1", id), name)
		told := b.owner.Query(`select amount_kopecks, arguments ->> 'reason' as reason from outbox.task
			where telegram_id = $1 and purchase_id = $2 and name = 'payment_credited'`, test.user, id)
		if test.reason == nil {
			require.Empty(t, told, name)
		} else {
			require.Equal(t, []Row{{"amount_kopecks": test.credited, "reason": test.reason}}, told, name)
		}
		row["is_replay"] = true
		require.Equal(t, row, b.settle(rub(name, id, test.payer, test.amount)), name)
	}
}

func TestE4UnderpaidThreeTimesBuysFromTheBalance(t *testing.T) {
	b := setup(t)
	id := b.Open(bert, "basic", 1, "k")
	for _, charge := range []string{"1", "2", "3", "2", "1"} {
		b.Settle(charge, id, 5000)
	}
	require.Equal(t, 15000, b.Available(bert))
	require.Equal(t, 100, b.Pay(bert, id)["available_kopecks"])
}

func TestTopupCreditsWhatCame(t *testing.T) {
	b := setup(t)
	for name, test := range map[string]struct {
		amount  int
		payer   any
		outcome string
		user    int
		status  string
	}{
		"as asked":         {25000, nil, "applied", bert, "paid"},
		"more":             {25001, nil, "applied", bert, "paid"},
		"less":             {1, nil, "applied", bert, "paid"},
		"by somebody else": {25000, anna, "credited", anna, "open"},
	} {
		id := b.Topup(bert, 25000, name)
		before := b.Available(test.user)
		require.Equal(t, settled(test.outcome, test.user, test.amount, nil, false),
			b.settle(rub(name, id, test.payer, test.amount)), name)
		require.Equal(t, before+test.amount, b.Available(test.user), name)
		require.Equal(t, test.status, b.One("billing.show_purchase", desk.Mine(bert, id))["status"], name)
	}
	id := b.Topup(bert, 25000, "twice")
	b.settle(rub("t1", id, nil, 25000))
	require.Equal(t, settled("credited", bert, 25000, nil, false), b.settle(rub("t2", id, nil, 25000)))
	late := b.Topup(bert, 25000, "late")
	b.One("billing.cancel_purchase", desk.Mine(bert, late))
	require.Equal(t, settled("applied", bert, 25000, nil, false), b.settle(rub("t3", late, nil, 25000)))
	require.Equal(t, "none", b.subscription(bert)["status"])
}

func TestSuspense(t *testing.T) {
	b := setup(t)
	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "second"})
	id := b.Open(anna, "basic", 1, "k")
	for i, test := range []struct {
		reason string
		args   A
	}{
		{"unknown_purchase", rub("unknown purchase", unknown, anna, 500)},
		{"unknown_purchase", rub("no purchase", nil, nil, 500)},
		{"unknown_payer", rub("unknown payer", id, nobody, 500)},
		{"unknown_payer", rub("impossible payer", id, -5, 500)},
		{"wrong_currency", rub("dollars", id, nil, 500).With("p_currency", "USD")},
		{"wrong_currency", rub("Stars from Crypto Pay", id, nil, 500).With("p_currency", "XTR")},
		{"wrong_currency", desk.Money("stars", "roubles as Stars", id, anna, 500, "RUB")},
		{"no_invoice", desk.Money("stars", "Stars without an invoice", id, anna, 88, "XTR")},
		{"amount_out_of_range", rub("too much", id, nil, 1_000_000_000_001)},
	} {
		before := b.fingerprint()
		row := b.settle(test.args)
		require.Equal(t, settled("suspense", nil, 0, nil, false), row, test.reason)
		after := b.fingerprint()
		for _, table := range []string{"ledger.transfer", "wallet.wallet", "billing.purchase", "subscription.subscription"} {
			require.Equal(t, before[table], after[table], "%s: %s", test.reason, table)
		}
		require.Equal(t, test.reason, b.owner.Value("select suspense_reason from billing.payment where charge_id = $1",
			test.args["p_charge_id"]))
		row["is_replay"] = true
		require.Equal(t, row, b.settle(test.args))
		require.Len(t, b.alarms(), i+1, "one alarm each")
		require.Len(t, b.messages(boss), i+1)
		require.Len(t, b.messages(bert), i+1, "to every admin")
	}
	require.Empty(t, b.messages(anna))
	require.Equal(t, []Row{{"alarm": "payment_in_suspense", "detail": "cryptobot 500 RUB: unknown_purchase"}},
		b.owner.Query(`select arguments ->> 'alarm' as alarm, arguments ->> 'detail' as detail from outbox.task
			where telegram_id = $1 order by task_id limit 1`, boss))
}

func TestStarsAreWorthTheirShareOfTheInvoice(t *testing.T) {
	b := setup(t)
	for name, test := range map[string]struct {
		stars, credited int
		outcome         string
	}{
		"as invoiced": {88, 0, "applied"},                   // 14900
		"one less":    {87, 14900 * 87 / 88, "credited"},    // 14730.6, short by more than a rouble
		"one more":    {89, 14900*89/88 - 14900, "applied"}, // 15069.3
		"twice":       {176, 14900, "applied"},              // 29800
	} {
		id := b.Open(bert, "basic", 1, name)
		b.One("billing.attach_invoice", bill(id, "stars", name, 88, "XTR"))
		before := b.Available(bert)
		row := b.settle(desk.Money("stars", name, id, bert, test.stars, "XTR"))
		require.Equal(t, Row{"outcome": test.outcome, "credited_kopecks": test.credited},
			pick(row, "outcome", "credited_kopecks"), name)
		require.Equal(t, before+test.credited, b.Available(bert), name)
	}
	id := b.Topup(bert, 25000, "top-up")
	b.One("billing.attach_invoice", bill(id, "stars", "i", 148, "XTR"))
	b.One("ops.set_setting", A{"p_name": "star_kopecks", "p_value": 1})
	require.Equal(t, settled("applied", bert, 25000, nil, false),
		b.settle(desk.Money("stars", "top-up", id, bert, 148, "XTR")), "by the invoice, not by today's rate")
}

func TestMoneyIsNeverSwitchedOff(t *testing.T) {
	b := setup(t)
	id := b.Open(anna, "basic", 1, "k")
	b.owner.Query("update ops.feature set is_on = false")
	b.owner.Query("update billing.provider set is_offered = false")
	require.Equal(t, "applied", b.settle(rub("c", id, nil, desk.Basic1))["outcome"])
}
