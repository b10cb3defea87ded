package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func quoted(id int, tariff string, months int) A {
	return A{"p_telegram_id": id, "p_tariff": tariff, "p_months": months, "p_promo_code": nil}
}

func TestListPrices(t *testing.T) {
	b := setup(t)
	list := []string{}
	offers := map[any]bool{}
	for _, row := range b.All("billing.list_prices", A{}) {
		list = append(list, fmt.Sprint(row["tariff"], row["months"], " ", row["list_kopecks"], " ", row["device_limit"]))
		offers[row["offer_id"]] = true
	}
	require.Len(t, offers, len(list), "each has an opaque id of its own")
	require.Equal(t, []string{"basic1 14900 3", "basic3 39900 3", "basic6 74900 3", "basic12 139900 3",
		"plus1 29900 10", "plus3 69900 10", "plus6 119900 10", "plus12 229900 10"}, list)

	b.owner.Query("update billing.tariff set is_on_sale = false where tariff = 'plus'")
	require.Len(t, b.All("billing.list_prices", A{}), 4)
	b.Refused("PU004", "billing.quote", quoted(anna, "plus", 1))
	b.Refused("PU004", "billing.open_purchase", desk.Choice(anna, "plus", 1, "k"))

	require.Equal(t, Row{"minimum_kopecks": 10000, "maximum_kopecks": 10000000,
		"presets_kopecks": []any{25000, 75000, 99900}}, b.One("billing.topup_options", A{}))
}

func TestPrice(t *testing.T) {
	b := setup(t)
	for name, test := range map[string]struct {
		list, percent int
		account       string
		kind          string
		price         int
	}{
		"no discount":                     {14900, 0, "is_vip = false", "none", 14900},
		"VIP":                             {14900, 30, "is_vip = true", "vip", 10430},
		"personal":                        {14900, 15, "discount_percent = 15", "personal", 12665},
		"the larger wins: personal":       {14900, 31, "is_vip = true, discount_percent = 31", "personal", 10281},
		"the larger wins: VIP":            {14900, 30, "is_vip = true, discount_percent = 29", "vip", 10430},
		"a tie goes to VIP":               {14900, 30, "is_vip = true, discount_percent = 30", "vip", 10430},
		"a personal one that has ended":   {14900, 0, "discount_percent = 90, discount_expires_at = core.now()", "none", 14900},
		"… leaves VIP":                    {14900, 30, "is_vip = true, discount_percent = 90, discount_expires_at = '2020-1-1'", "vip", 10430},
		"a personal one that has not":     {14900, 90, "discount_percent = 90, discount_expires_at = core.now() + '1 min'", "personal", 1490},
		"half a kopeck is rounded up":     {150, 33, "discount_percent = 33", "personal", 101},
		"just below half is rounded down": {147, 33, "discount_percent = 33", "personal", 98},
		"just above half is rounded up":   {153, 33, "discount_percent = 33", "personal", 103},
		"99 % of one kopeck is nothing":   {1, 99, "discount_percent = 99", "personal", 0},
		"the largest price":               {1_000_000_000_000, 1, "discount_percent = 1", "personal", 990_000_000_000},
	} {
		b.owner.Query(`update account.account set is_vip = false, discount_percent = null, discount_expires_at = null
			where telegram_id = $1`, anna)
		b.owner.Query("update account.account set "+test.account+" where telegram_id = $1", anna)
		b.owner.Query("update billing.tariff_price set list_kopecks = $1 where tariff = 'basic' and months = 1", test.list)

		want := Row{"list_kopecks": test.list, "discount_kind": test.kind, "discount_percent": test.percent,
			"price_kopecks": test.price}
		quote := b.One("billing.quote", quoted(anna, "basic", 1))
		require.IsType(t, time.Time{}, quote["subscription_expires_at"])
		delete(quote, "subscription_expires_at")
		require.Equal(t, want, quote, name)

		opened := b.One("billing.open_purchase", desk.Choice(anna, "basic", 1, name))
		require.Equal(t, want, pick(opened, "list_kopecks", "discount_kind", "discount_percent", "price_kopecks"), name)
	}
}

func TestVipPercentIsASetting(t *testing.T) {
	b := setup(t)
	b.owner.Query("update account.account set is_vip = true where telegram_id = $1", anna)
	b.One("ops.set_setting", A{"p_name": "vip_discount_percent", "p_value": 50})
	require.Equal(t, desk.Basic1/2, b.One("billing.quote", quoted(anna, "basic", 1))["price_kopecks"])
	b.One("ops.set_setting", A{"p_name": "vip_discount_percent", "p_value": 0})
	require.Equal(t, "none", b.One("billing.quote", quoted(anna, "basic", 1))["discount_kind"])
}

func TestOpenPurchase(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	opened := b.One("billing.open_purchase", desk.Choice(anna, "plus", 3, "k"))
	id := opened["purchase_id"].(string)
	want := Row{"purchase_id": id, "price_kopecks": 69900, "discount_kind": "none", "discount_percent": 0,
		"expires_at": at.Add(30 * time.Minute), "is_replay": false, "list_kopecks": 69900,
		"subscription_expires_at": at.AddDate(0, 3, 0)}
	require.Equal(t, want, opened)

	b.owner.At(at.Add(time.Hour))
	want["is_replay"] = true
	require.Equal(t, want, b.One("billing.open_purchase", desk.Choice(anna, "plus", 3, "k")),
		"the first answer again, whatever the time")
	require.Equal(t, Row{"purchase_id": id, "kind": "subscription", "status": "expired", "tariff": "plus", "months": 3,
		"list_kopecks": 69900, "discount_kind": "none", "discount_percent": 0, "price_kopecks": 69900,
		"expires_at": at.Add(30 * time.Minute), "subscription_expires_at": at.AddDate(0, 3, 0), "provider": nil,
		"invoice_id": nil, "offer_id": b.offer("plus", 3), "keeps_key": false, "seconds_left": 0, "switch_kind": nil},
		b.One("billing.show_purchase", desk.Mine(anna, id)))
	b.owner.At(at.Add(29*time.Minute + 500*time.Millisecond))
	require.Equal(t, 60, b.One("billing.show_purchase", desk.Mine(anna, id))["seconds_left"], "rounded up")
	b.owner.At(at.Add(time.Hour))

	good := desk.Choice(anna, "plus", 3, "k")
	for param, other := range map[string]any{"p_tariff": "basic", "p_months": 1, "p_promo_code": "SALE"} {
		b.Refused("ID001", "billing.open_purchase", good.With(param, other))
	}
	require.NotEqual(t, id, b.Open(bert, "plus", 3, "k"), "the key's scope is the user")
	require.NotEqual(t, id, b.Topup(anna, 25000, "k"), "… and the function")
	require.NotEqual(t, id, b.Open(anna, "plus", 3, "k2"), "several may be open")
	b.Refused("PU001", "billing.show_purchase", desk.Mine(bert, id))
}

// offer is the opaque id of a tariff and period.
func (b *bundle) offer(tariff string, months int) any {
	b.Helper()
	for _, row := range b.All("billing.list_prices", A{}) {
		if row["tariff"] == tariff && row["months"] == months {
			return row["offer_id"]
		}
	}
	return nil
}

func TestOpenTopup(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	args := A{"p_telegram_id": anna, "p_amount_kopecks": 25000, "p_idempotency_key": "k"}
	opened := b.One("billing.open_topup", args)
	want := Row{"purchase_id": opened["purchase_id"], "price_kopecks": 25000, "expires_at": at.Add(30 * time.Minute),
		"is_replay": false}
	require.Equal(t, want, opened)
	want["is_replay"] = true
	require.Equal(t, want, b.One("billing.open_topup", args))
	b.Refused("ID001", "billing.open_topup", args.With("p_amount_kopecks", 25001))
	require.Equal(t, Row{"kind": "topup", "tariff": nil, "months": nil, "subscription_expires_at": nil, "status": "open",
		"offer_id": nil},
		pick(b.One("billing.show_purchase", desk.Mine(anna, opened["purchase_id"])),
			"kind", "tariff", "months", "subscription_expires_at", "status", "offer_id"))
	b.Refused("PU003", "billing.pay_from_balance", desk.Mine(anna, opened["purchase_id"]))
}

func TestBlockedUserBuysNothing(t *testing.T) {
	b := setup(t)
	open := b.Open(anna, "basic", 1, "before")
	topup := b.Topup(anna, 25000, "before")
	paid := b.Buy(anna, "basic", 1, "paid")
	b.owner.Query("update account.account set is_blocked = true where telegram_id = $1", anna)

	b.Refused("US002", "billing.open_purchase", desk.Choice(anna, "basic", 1, "after"))
	b.Refused("US002", "billing.open_topup", A{"p_telegram_id": anna, "p_amount_kopecks": 25000, "p_idempotency_key": "after"})
	b.Refused("US002", "billing.pay_from_balance", desk.Mine(anna, open))
	require.Equal(t, "blocked", b.One("billing.precheck", A{"p_telegram_id": anna, "p_purchase_id": open,
		"p_amount_minor": desk.Basic1, "p_currency": "RUB"})["refusal"])

	require.Equal(t, open, b.Open(anna, "basic", 1, "before"), "a repeat is a replay all the same")
	require.Equal(t, topup, b.Topup(anna, 25000, "before"))
	replay := b.Pay(anna, paid["purchase_id"].(string))
	require.Equal(t, true, replay["is_replay"])
	b.One("billing.cancel_purchase", desk.Mine(anna, open))
}
