package contract_test

import (
	"math"
	"strings"

	"atlas-secure/tests/contract/desk"
)

func billingFunctions() []function {
	mine := func(w world) A { return desk.Mine(anna, w.open) }
	money := "payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint, " +
		"subscription_expires_at timestamptz, is_replay boolean"
	noSuch := map[string][]bad{ // where an unknown user's purchase is an unknown purchase
		"p_telegram_id": {refuse("22023", nil, 0, -1, 1<<52, math.MaxInt64), refuse("PU001", nobody)}}
	return []function{
		{name: "billing.list_prices", reads: true, allowed: "bot admin auditor",
			returns: "tariff text, months integer, list_kopecks bigint, device_limit integer, offer_id uuid",
			args:    func(world) A { return A{} }},
		{name: "billing.topup_options", reads: true, allowed: "bot admin",
			returns: "minimum_kopecks bigint, maximum_kopecks bigint, presets_kopecks bigint[]",
			args:    func(world) A { return A{} }},
		{name: "billing.quote", reads: true, allowed: "bot admin",
			returns: "list_kopecks bigint, discount_kind text, discount_percent integer, price_kopecks bigint, " +
				"subscription_expires_at timestamptz",
			args: func(world) A {
				return A{"p_telegram_id": anna, "p_tariff": "basic", "p_months": 1, "p_promo_code": nil}
			}},
		{name: "billing.open_purchase", allowed: "bot", switche: "payments",
			returns: "purchase_id uuid, price_kopecks bigint, discount_kind text, discount_percent integer, " +
				"expires_at timestamptz, is_replay boolean, list_kopecks bigint, subscription_expires_at timestamptz",
			args: func(world) A { return desk.Choice(anna, "basic", 1, "key") }},
		{name: "billing.open_topup", allowed: "bot", switche: "payments",
			returns: "purchase_id uuid, price_kopecks bigint, expires_at timestamptz, is_replay boolean",
			args: func(world) A {
				return A{"p_telegram_id": anna, "p_amount_kopecks": 25000, "p_idempotency_key": "key"}
			},
			bad: map[string][]bad{"p_amount_kopecks": {
				refuse("22023", nil, 0, -1, 1_000_000_000_001, math.MaxInt64),
				refuse("PU006", 1, 9_999, 10_000_001, 1_000_000_000_000), accept(10_000, 10_000_000)}}},
		{name: "billing.show_purchase", reads: true, allowed: "bot admin", args: mine, bad: noSuch,
			returns: "purchase_id uuid, kind text, status text, tariff text, months integer, list_kopecks bigint, " +
				"discount_kind text, discount_percent integer, price_kopecks bigint, expires_at timestamptz, " +
				"subscription_expires_at timestamptz, provider text, invoice_id text, offer_id uuid, keeps_key boolean, " +
				"seconds_left integer, switch_kind text"},
		{name: "billing.ways_to_pay", reads: true, allowed: "bot", args: mine, bad: noSuch,
			returns: "provider text, amount_minor bigint, currency text, is_offered boolean, refusal text"},
		{name: "billing.pay_from_balance", allowed: "bot", switche: "payments", args: mine,
			returns: "purchase_id uuid, status text, available_kopecks bigint, subscription_expires_at timestamptz, " +
				"is_replay boolean"},
		{name: "billing.cancel_purchase", allowed: "bot", args: mine,
			returns: "purchase_id uuid, status text, is_replay boolean"},
		{name: "billing.attach_invoice", allowed: "bot", switche: "payments",
			returns: "purchase_id uuid, is_replay boolean",
			args:    func(w world) A { return bill(w.open, "cryptobot", "inv", desk.Plus1, "RUB") },
			bad: map[string][]bad{
				"p_provider":     {refuse("PY001", nil, "", "manual", "paypal", "Stars", long, control)},
				"p_invoice_id":   {refuse("22023", nil, "", strings.Repeat("i", 257), long), accept(control)},
				"p_amount_minor": {refuse("22023", nil, 0, -1, desk.Plus1+1, math.MaxInt64)},
				"p_currency":     {refuse("22023", nil, "", "rub", "XTR", long, control)}}},
		{name: "billing.precheck", reads: true, allowed: "bot payments", switche: "payments",
			returns: "is_payable boolean, refusal text",
			args: func(w world) A {
				return A{"p_telegram_id": anna, "p_purchase_id": w.open, "p_amount_minor": 1, "p_currency": "XTR"}
			},
			bad: map[string][]bad{
				"p_telegram_id":  {refuse("22023", nil, 0, -1, 1<<52), accept(nobody)},
				"p_purchase_id":  {refuse("22023", nil), accept(unknown)},
				"p_amount_minor": {refuse("22023", nil, 0, -1), accept(math.MaxInt64)},
				"p_currency":     {refuse("22023", nil, "", strings.Repeat("c", 17), long), accept("USD", control)}}},
		{name: "billing.settle_payment", allowed: "payments", returns: money,
			args: func(w world) A { return desk.Money("cryptobot", "c", w.open, anna, desk.Plus1, "RUB") },
			bad: map[string][]bad{
				"p_provider":     {refuse("PY001", nil, "", "manual", "paypal", "Stars", long, control)},
				"p_charge_id":    {refuse("22023", nil, "", strings.Repeat("c", 257), long), accept(control)},
				"p_purchase_id":  {accept(nil, unknown)},
				"p_payer_id":     {accept(nil, 0, -1, nobody, math.MaxInt64, math.MinInt64)},
				"p_amount_minor": {refuse("22023", nil, 0, -1, math.MinInt64), accept(1, math.MaxInt64)},
				"p_currency":     {refuse("22023", nil, "", strings.Repeat("c", 17), long), accept("USD", control)},
				"p_raw":          {accept(nil, "{}", `"text"`, `{"k": "`+long+`"}`)}}},
		{name: "billing.pending_invoices", reads: true, allowed: "worker payments",
			returns: "purchase_id uuid, invoice_id text, amount_minor bigint, currency text, attached_at timestamptz",
			args:    func(world) A { return waiting("cryptobot", nil, nil, 10) },
			bad: map[string][]bad{
				"p_provider":          {refuse("22023", nil, "", long), accept("paypal", control)},
				"p_before_at":         {refuse("22023", "2027-01-01", "infinity")},
				"p_before_invoice_id": {refuse("22023", "", "inv", long)}}},
		{name: "billing.list_payments", reads: true, allowed: "payments auditor", returns: inBooks,
			args: func(world) A { return received("cryptobot", "-infinity", "infinity", 0, 10) },
			bad: map[string][]bad{
				"p_provider":         {refuse("22023", nil, "", long), accept("paypal", control)},
				"p_from":             {refuse("22023", nil), accept("-infinity", "infinity")},
				"p_to":               {refuse("22023", nil), accept("-infinity", "infinity")},
				"p_after_payment_id": {refuse("22023", nil, -1), accept(0, math.MaxInt64)}}},
		{name: "billing.find_payments", reads: true, allowed: "payments auditor", returns: inBooks,
			args: func(world) A { return A{"p_provider": "cryptobot", "p_charge_ids": []string{"c"}} },
			bad: map[string][]bad{
				"p_provider":   {refuse("22023", nil, "", long), accept("paypal", control)},
				"p_charge_ids": {refuse("22023", nil, make([]string, 1001)), accept([]string{}, []string{"", long, control})}}},
		due("billing.expire_due", "expired integer"),
	}
}

// due is a function that works a batch off.
func due(name, returns string) function {
	return function{name: name, returns: returns, allowed: "worker", switche: "workers",
		args: func(world) A { return A{"p_epoch": 1, "p_limit": 100} },
		bad: map[string][]bad{"p_limit": {
			refuse("22023", nil, 0, -1, 100_001, math.MaxInt32), accept(1, 100_000)}}}
}

// bill is the arguments of billing.attach_invoice.
func bill(purchase any, provider, invoice string, amount int, currency string) A {
	return A{"p_purchase_id": purchase, "p_provider": provider, "p_invoice_id": invoice, "p_amount_minor": amount,
		"p_currency": currency}
}

// waiting is the arguments of billing.pending_invoices.
func waiting(provider string, beforeAt, beforeInvoice any, limit int) A {
	return A{"p_provider": provider, "p_before_at": beforeAt, "p_before_invoice_id": beforeInvoice, "p_limit": limit}
}

// inBooks is what is told of a payment.
const inBooks = "payment_id bigint, charge_id text, telegram_id bigint, payer_id bigint, purchase_id uuid, " +
	"amount_minor bigint, currency text, outcome text, suspense_reason text, received_at timestamptz, " +
	"reversed_at timestamptz, refund_begun_at timestamptz"

// received is the arguments of billing.list_payments.
func received(provider string, from, to any, after, limit int) A {
	return A{"p_provider": provider, "p_from": from, "p_to": to, "p_after_payment_id": after, "p_limit": limit}
}
