package desk

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
)

// Boss is the admin that Shop makes, Anna and Bert are customers. Anna has 1000 roubles.
const (
	Boss = 1
	Anna = 1001
	Bert = 1002
)

// Prices of the seed data, in kopecks.
const (
	Basic1 = 14900
	Plus1  = 29900
	Rich   = 100000
)

// Shop registers an admin and two customers; the first of them has 1000 roubles.
func (d *Desk) Shop() {
	d.Helper()
	d.User(Boss)
	d.One("account.grant_admin", A{"p_telegram_id": Boss, "p_note": "founder"})
	d.User(Anna)
	d.User(Bert)
	d.Credit(Anna, Rich)
}

// User registers somebody.
func (d *Desk) User(id int) Row {
	d.Helper()
	return d.One("account.register", A{
		"p_telegram_id": id, "p_username": fmt.Sprintf("user_%d", id), "p_language": "ru", "p_start_payload": nil})
}

// Credit gives money by the boss's hand; twice the same amount is one credit.
func (d *Desk) Credit(id, kopecks int) Row {
	d.Helper()
	return d.One("wallet.credit", A{"p_telegram_id": id, "p_amount_kopecks": kopecks, "p_admin_id": Boss,
		"p_note": "gift", "p_idempotency_key": fmt.Sprintf("gift of %d", kopecks)})
}

// Choice is the arguments of billing.open_purchase.
func Choice(id int, tariff string, months int, key string) A {
	return A{"p_telegram_id": id, "p_tariff": tariff, "p_months": months, "p_promo_code": nil, "p_idempotency_key": key}
}

// Open opens a purchase and gives its id.
func (d *Desk) Open(id int, tariff string, months int, key string) string {
	d.Helper()
	return d.One("billing.open_purchase", Choice(id, tariff, months, key))["purchase_id"].(string)
}

// Topup opens a top-up and gives its id.
func (d *Desk) Topup(id, kopecks int, key string) string {
	d.Helper()
	return d.One("billing.open_topup", A{
		"p_telegram_id": id, "p_amount_kopecks": kopecks, "p_idempotency_key": key})["purchase_id"].(string)
}

// Mine is the arguments of a call about one's own purchase.
func Mine(id int, purchase any) A {
	return A{"p_telegram_id": id, "p_purchase_id": purchase}
}

// Pay pays a purchase from the balance.
func (d *Desk) Pay(id int, purchase string) Row {
	d.Helper()
	return d.One("billing.pay_from_balance", Mine(id, purchase))
}

// Buy opens a purchase and pays it from the balance.
func (d *Desk) Buy(id int, tariff string, months int, key string) Row {
	d.Helper()
	return d.Pay(id, d.Open(id, tariff, months, key))
}

// Money is the arguments of billing.settle_payment.
func Money(provider, charge string, purchase, payer any, amount int, currency string) A {
	return A{"p_provider": provider, "p_charge_id": charge, "p_purchase_id": purchase, "p_payer_id": payer,
		"p_amount_minor": amount, "p_currency": currency, "p_raw": `{"from":"provider"}`}
}

// Settle brings money from Crypto Pay, which names no payer.
func (d *Desk) Settle(charge string, purchase any, kopecks int) Row {
	d.Helper()
	return d.One("billing.settle_payment", Money("cryptobot", charge, purchase, nil, kopecks, "RUB"))
}

// Available is the balance that can be spent.
func (d *Desk) Available(id int) int {
	d.Helper()
	return d.One("wallet.balance", A{"p_telegram_id": id})["available_kopecks"].(int)
}

// Ends is the end of the user's subscription.
func (d *Desk) Ends(id int) time.Time {
	d.Helper()
	return d.One("subscription.current", A{"p_telegram_id": id})["expires_at"].(time.Time)
}

// ClaimArgs is the arguments of the claim functions.
func ClaimArgs(holder string, limit int) A {
	return A{"p_holder": holder, "p_limit": limit, "p_lease": "30 seconds"}
}

// At stops the clock that the functions read. Needs a superuser's connection.
func (d *Desk) At(moment time.Time) {
	d.Helper()
	d.clock("timestamptz '" + moment.UTC().Format("2006-01-02 15:04:05.999999") + " UTC'")
}

// Later moves the clock that the functions read forward from the real time. Needs a superuser's connection.
func (d *Desk) Later(interval string) {
	d.Helper()
	d.clock("clock_timestamp() + interval '" + interval + "'")
}

func (d *Desk) clock(expression string) {
	d.Helper()
	d.Query("create or replace function core.now() returns timestamptz language sql volatile as $$ select " +
		expression + " $$")
}

// Reconciled demands that the books are right.
func (d *Desk) Reconciled() {
	d.Helper()
	require.Empty(d, d.Query("select * from ops.reconcile()"))
}
