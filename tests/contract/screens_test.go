package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// TestTrialOffer: the offer says beforehand what start_trial answers, and so does register to /start.
func TestTrialOffer(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 26, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	feature := func(isOn bool) {
		b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "trials", "p_is_on": isOn})
	}
	says := func(id int, refusal any) {
		t.Helper()
		require.Equal(t, Row{"refusal": refusal, "days": 3, "tariff": "basic", "device_limit": 3},
			b.One("subscription.trial_offer", A{"p_telegram_id": id}))
		require.Equal(t, refusal == nil, b.One("account.register", start(id, nil))["is_trial_offered"])
		if refusal != nil {
			b.Refused(refusal.(string), "subscription.start_trial", A{"p_telegram_id": id, "p_idempotency_key": "no"})
		}
	}
	require.Equal(t, true, b.One("account.register", start(2000, nil))["is_trial_offered"], "at the very first /start")
	says(2000, nil)
	feature(false)
	says(2000, "OP003")
	feature(true)
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": 2000, "p_reason": "r"})
	says(2000, "US002")
	b.One("account.unblock", A{"p_admin_id": boss, "p_telegram_id": 2000, "p_reason": "r"})
	says(2000, nil)
	b.trial(2000, "k")
	says(2000, "SU002")
	b.owner.At(at.AddDate(0, 0, 4))
	says(2000, "SU002")

	b.Buy(anna, "basic", 1, "1")
	says(anna, "SU003")
	b.owner.At(b.Ends(anna))
	says(anna, nil)
	b.trial(anna, "k")
}

// TestRenewalOffer: what the screen of auto-renewal says is what the job takes.
func TestRenewalOffer(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	offer := func(id int) Row { return b.One("subscription.renewal", A{"p_telegram_id": id}) }
	nothing := Row{"auto_renew": false, "expires_at": nil, "renews_at": nil, "tariff": nil, "months": nil, "list_kopecks": nil,
		"discount_percent": 0, "price_kopecks": nil, "is_sold": false, "available_kopecks": 0}
	require.Equal(t, nothing, offer(bert))
	b.trial(bert, "t")
	end := at.AddDate(0, 0, 3)
	require.Equal(t, Row(A(nothing).With("expires_at", end).With("renews_at", end.Add(-6*time.Hour))), offer(bert))

	end = b.subscriber(2000, at, desk.Basic1)
	want := Row{"auto_renew": true, "expires_at": end, "renews_at": end.Add(-6 * time.Hour), "tariff": "basic", "months": 1,
		"list_kopecks": desk.Basic1, "discount_percent": 0, "price_kopecks": desk.Basic1, "is_sold": true,
		"available_kopecks": desk.Basic1}
	require.Equal(t, want, offer(2000))
	b.One("account.set_discount", A{"p_admin_id": boss, "p_telegram_id": 2000, "p_percent": 33, "p_expires_at": nil})
	want = Row(A(want).With("discount_percent", 33).With("price_kopecks", 9983)) // 149 roubles less 33 %, to a kopeck
	require.Equal(t, want, offer(2000))
	b.owner.At(end.Add(-6 * time.Hour))
	b.renewal()
	require.Equal(t, desk.Basic1-9983, b.Available(2000), "as the job took it")
	require.Equal(t, end.AddDate(0, 1, 0), offer(2000)["expires_at"])

	b.owner.Query("update billing.tariff set is_on_sale = tariff = 'plus'")
	gone := offer(2000)
	require.Equal(t, Row{"tariff": "basic", "months": 1, "is_sold": false, "price_kopecks": nil},
		pick(gone, "tariff", "months", "is_sold", "price_kopecks"))
	b.owner.At(end.AddDate(0, 2, 0))
	require.Nil(t, offer(2000)["renews_at"], "over")
}

// TestSwitchKind: the confirm screen says what becomes of the remaining time.
func TestSwitchKind(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	kind := func(id int, purchase any) any {
		return b.One("billing.show_purchase", desk.Mine(id, purchase))["switch_kind"]
	}
	opened := func(id int, tariff, key string) any { return kind(id, b.Open(id, tariff, 1, key)) }
	require.Nil(t, opened(bert, "basic", "nothing yet"))
	b.trial(bert, "t")
	require.Equal(t, "trial", opened(bert, "basic", "b"))
	require.Equal(t, "trial", opened(bert, "plus", "p"))
	b.owner.At(at.AddDate(0, 0, 4))
	require.Nil(t, opened(bert, "plus", "it is over"))

	paid := b.Buy(anna, "basic", 1, "1")["purchase_id"]
	require.Nil(t, opened(anna, "basic", "same"))
	require.Equal(t, "up", opened(anna, "plus", "up"))
	require.Nil(t, kind(anna, paid), "of what is open only")
	b.Buy(anna, "plus", 1, "2")
	require.Equal(t, "down", opened(anna, "basic", "down"))
}
