package contract_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// TestE5Overpaid: what is more than the price is on the balance, whichever way it came and however often it is told.
func TestE5Overpaid(t *testing.T) {
	b := setup(t)
	for i, provider := range []string{"cryptobot", "telegram"} {
		id := b.Open(bert, "basic", 1, provider)
		args := desk.Money(provider, "c", id, nil, desk.Basic1*13/10, "RUB")
		row := b.settle(args)
		require.Equal(t, settled("applied", bert, desk.Basic1*3/10, b.Ends(bert), false), row)
		row["is_replay"] = true
		require.Equal(t, row, b.settle(args))
		require.Equal(t, (i+1)*desk.Basic1*3/10, b.Available(bert))
	}
	require.Equal(t, 2*desk.Basic1, b.owner.Value(
		"select sum(amount_kopecks)::int from ledger.transfer where credit_account = 'revenue' and telegram_id = $1", bert))
	require.Equal(t, 2, b.count("billing.payment where outcome = 'applied'"))
}

// TestE6WrongCurrencyOrUnit: an amount in a currency, a coin or a unit that is not the purchase's buys and credits nothing.
func TestE6WrongCurrencyOrUnit(t *testing.T) {
	b := setup(t)
	for i, test := range []struct {
		provider, currency string
		amount             int
	}{
		{"cryptobot", "USD", desk.Basic1}, {"cryptobot", "TON", desk.Basic1}, {"cryptobot", "USDT", 149 * 100_000_000},
		{"cryptobot", "XTR", 88}, {"stars", "RUB", desk.Basic1}, {"stars", "XTR", desk.Basic1}, {"telegram", "USD", desk.Basic1},
		{"telegram", "rub", desk.Basic1}, {"telegram", "RUB", desk.Basic1 * 100_000_000}, // of 10^-8 roubles
	} {
		id := b.Open(bert, "basic", 1, fmt.Sprint(i))
		alarms := len(b.alarms())
		row := b.settle(desk.Money(test.provider, fmt.Sprint("c", i), id, bert, test.amount, test.currency))
		require.Equal(t, settled("suspense", nil, 0, nil, false), row, "%+v", test)
		require.Len(t, b.alarms(), alarms+1, "%+v", test)
		require.Equal(t, "open", b.statusOf(id))
	}
	require.Equal(t, 0, b.Available(bert))
	require.Zero(t, b.count("ledger.transfer where telegram_id = $1", bert))
	require.Equal(t, "none", b.subscription(bert)["status"])
}

// TestE7PayerWhoMayNotBuy: a blocked user buys nothing and keeps all; a payer who is no user is in suspense.
func TestE7PayerWhoMayNotBuy(t *testing.T) {
	b := setup(t)
	subscription, topup := b.Open(bert, "basic", 1, "k"), b.Topup(bert, 25000, "t")
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": bert, "p_reason": "r"})
	require.Equal(t, settled("credited", bert, desk.Basic1, nil, false), b.settle(rub("1", subscription, nil, desk.Basic1)))
	require.Equal(t, desk.Basic1, b.Available(bert))
	require.Equal(t, 25000, b.settle(rub("2", topup, bert, 25000))["credited_kopecks"])
	require.Equal(t, desk.Basic1+25000, b.Available(bert))
	b.Refused("US002", "billing.pay_from_balance", desk.Mine(bert, subscription))
	require.Equal(t, "none", b.subscription(bert)["status"])
	require.Equal(t, "open", b.statusOf(subscription))

	id := b.Open(anna, "basic", 1, "k")
	for _, stranger := range []any{nobody, -1, 1 << 60} {
		row := b.settle(rub(fmt.Sprint(stranger), id, stranger, desk.Basic1))
		require.Equal(t, settled("suspense", nil, 0, nil, false), row, "%v", stranger)
	}
	require.Equal(t, []string{"payment_in_suspense", "payment_in_suspense", "payment_in_suspense"}, b.alarms())
	require.Equal(t, desk.Rich, b.Available(anna))
	require.Equal(t, "open", b.statusOf(id))
}
