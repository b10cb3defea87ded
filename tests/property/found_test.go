package property_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/property/model"
)

// found are sequences in which the database once did what it should not.
func found() map[string][]call {
	start := newWorld().Now
	later := start.Add(60 * 24 * time.Hour)
	grant := call{function: "subscription.grant_time", args: model.Args{"p_admin_id": boss, "p_telegram_id": anna,
		"p_tariff": "basic", "p_duration": "10m", "p_reason": "words", "p_idempotency_key": "grant"}}
	renew := call{function: "subscription.set_auto_renew", args: model.Args{"p_telegram_id": anna, "p_is_on": true}}
	credit := call{function: "wallet.credit", args: model.Args{"p_telegram_id": anna, "p_amount_kopecks": 14900,
		"p_admin_id": boss, "p_note": "note", "p_idempotency_key": "credit"}}
	bought := model.Ref{Kind: "purchase", Name: "11 subscription open"}
	return map[string][]call{
		"auto-renewal is switched on after the end": {grant, {until: later}, renew},
		"money comes after the end of a subscription whose renewal was declined": {
			{function: "billing.open_purchase", args: model.Args{"p_telegram_id": anna, "p_tariff": "basic", "p_months": 1,
				"p_promo_code": nil, "p_idempotency_key": "open"}},
			{function: "billing.approve_manual", args: model.Args{"p_admin_id": boss, "p_purchase_id": bought,
				"p_amount_kopecks": 14900, "p_note": "words"}},
			renew, {until: start.Add(28*24*time.Hour - time.Hour)},
			{function: "subscription.renew_due", args: due(nil)}, {until: later}, credit},
	}
}

func TestWhatWasFoundStaysMended(t *testing.T) {
	s := open(t)
	for name, calls := range found() {
		require.NoError(t, replay(s, calls), name)
	}
}
