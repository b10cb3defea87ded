package contract_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func TestNothingToRenew(t *testing.T) {
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	for how, change := range map[string]func(b *bundle){
		"switched off": func(b *bundle) { b.autoRenew(2000, false) },
		"blocked": func(b *bundle) {
			b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": 2000, "p_reason": "r"})
		},
		"revoked":                   func(b *bundle) { b.One("subscription.revoke", revoke(2000, "r")) },
		"bought by hand meanwhile":  func(b *bundle) { b.Buy(2000, "basic", 1, "by hand") },
		"over before a worker came": func(b *bundle) { b.owner.At(b.Ends(2000)) },
	} {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			end := b.subscriber(2000, at, 100_000)
			b.owner.At(end.Add(-time.Hour))
			change(b)
			had := b.Available(2000)
			require.Equal(t, [2]any{0, 0}, b.renewal())
			require.Equal(t, had, b.Available(2000))
			require.NotContains(t, b.messages(2000), "renewal_declined")
			require.Equal(t, 0, b.count("subscription.subscription where renew_check_at <= core.now()"))
		})
	}
	t.Run("nothing was ever bought", func(t *testing.T) {
		b := setup(t)
		b.owner.At(at)
		b.trial(anna, "t")
		b.autoRenew(anna, true)
		b.owner.At(at.AddDate(0, 0, 3).Add(-time.Hour))
		require.Equal(t, [2]any{0, 0}, b.renewal())
		require.Equal(t, desk.Rich, b.Available(anna))
		require.NotContains(t, b.messages(anna), "renewal_declined")
		b.Buy(anna, "basic", 1, "k")
		b.owner.At(b.Ends(anna).Add(-time.Hour))
		require.Equal(t, [2]any{1, 0}, b.renewal(), "from the first purchase on")
	})
}

func TestUnblockedUserIsRenewed(t *testing.T) {
	b := setup(t)
	end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), 100_000)
	b.owner.At(end.Add(-time.Hour))
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": 2000, "p_reason": "r"})
	require.Equal(t, [2]any{0, 0}, b.renewal())
	b.One("account.unblock", A{"p_admin_id": boss, "p_telegram_id": 2000, "p_reason": "r"})
	require.Equal(t, [2]any{1, 0}, b.renewal())
}

func TestPlanThatIsNoLongerSold(t *testing.T) {
	for how, gone := range map[string]string{
		"the period": "delete from billing.tariff_price where tariff = 'basic' and months = 1",
		"the tariff": "update billing.tariff set is_on_sale = false where tariff = 'basic'",
	} {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), 100_000)
			b.owner.Query(gone)
			b.owner.At(end.Add(-time.Hour))
			require.Equal(t, [2]any{0, 1}, b.renewal())
			require.Equal(t, [2]any{0, 0}, b.renewal())
			require.Equal(t, 100_000, b.Available(2000))
			require.Equal(t, []string{"payment_applied", "renewal_declined"}, b.messages(2000))
		})
	}
}

func TestRenewalsSwitch(t *testing.T) {
	b := setup(t)
	end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), 100_000)
	b.owner.At(end.Add(-time.Hour))
	b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "auto_renewal", "p_is_on": false})
	require.Equal(t, "auto_renewal", b.Refused("OP003", "subscription.renew_due", batch(nil, 10)).Detail)
	b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "auto_renewal", "p_is_on": true})
	require.Equal(t, [2]any{1, 0}, b.renewal())
}

func TestF3PoisonedRenewal(t *testing.T) {
	for how, poison := range poisons("ledger.transfer") {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
			end := b.subscriber(anna, at, 40_000)
			for id := 3000; id < 3005; id++ {
				b.subscriber(id, at, desk.Basic1)
			}
			b.subscriber(3005, at, 0)
			b.harness.BooksAreWrong("Anna cannot be charged")
			had := b.Available(anna)
			b.script(poison)
			b.owner.At(end.Add(-time.Hour))
			require.Equal(t, [2]any{5, 1}, b.renewal())
			require.Equal(t, had, b.Available(anna))
			require.Equal(t, end, b.Ends(anna), "nothing is half done")
			require.Equal(t, 5, b.count("ledger.transfer t join billing.purchase u using (purchase_id) where renews_expires_at is not null"))
			b.buried("subscription.renew_due")
			require.Equal(t, [2]any{0, 0}, b.renewal())
		})
	}
}

// TestF7Calendar compares a year of renewals with a table of ends, in sessions of several time zones.
func TestF7Calendar(t *testing.T) {
	utc := func(text string) time.Time {
		at, err := time.Parse("2006-01-02 15:04", text)
		require.NoError(t, err)
		return at
	}
	tests := []struct {
		at   string
		ends []string
	}{
		// The end that was reached counts, not the day of the first purchase: what is bought is a month from there.
		{"2027-01-31 12:00", []string{"2027-02-28 12:00", "2027-03-28 12:00", "2027-04-28 12:00", "2027-05-28 12:00"}},
		{"2028-01-31 12:00", []string{"2028-02-29 12:00", "2028-03-29 12:00", "2028-04-29 12:00", "2028-05-29 12:00"}},
		{"2028-01-29 23:59", []string{"2028-02-29 23:59", "2028-03-29 23:59", "2028-04-29 23:59", "2028-05-29 23:59"}},
		{"2027-02-28 01:30", []string{"2027-03-28 01:30", "2027-04-28 01:30", "2027-05-28 01:30", "2027-06-28 01:30"}},
		{"2027-09-30 22:30", []string{"2027-10-30 22:30", "2027-11-30 22:30", "2027-12-30 22:30", "2028-01-30 22:30"}},
	}
	for _, zone := range []string{"UTC", "America/Los_Angeles", "Europe/Berlin", "Pacific/Kiritimati"} {
		t.Run(zone, func(t *testing.T) {
			b := setup(t)
			conn, err := b.harness.DBA.Acquire(context.Background())
			require.NoError(t, err)
			defer func() {
				_, err := conn.Exec(context.Background(), "reset timezone")
				require.NoError(t, err)
				conn.Release()
			}()
			d := b.On(t, conn)
			d.Query("select set_config('timezone', $1, false)", zone)
			for i, test := range tests {
				id := 3000 + i
				end := b.subscriber(id, utc(test.at), 4*desk.Basic1)
				for n, want := range test.ends {
					require.Equal(t, utc(want), end, "%s, period %d", test.at, n)
					b.owner.At(end.Add(-30 * time.Minute))
					require.Equal(t, 1, d.One("subscription.renew_due", batch(nil, 10))["renewed"], "%s, period %d", test.at, n)
					b.owner.At(end.AddDate(0, 0, 1)) // a jump, and back: nothing free, nothing twice
					require.Equal(t, 0, d.One("subscription.renew_due", batch(nil, 10))["renewed"])
					require.Equal(t, 0, d.One("subscription.expire_due", batch(nil, 10))["expired"])
					b.owner.At(end.AddDate(0, 0, -1))
					require.Equal(t, 0, d.One("subscription.renew_due", batch(nil, 10))["renewed"])
					end = b.Ends(id)
				}
				require.Equal(t, 0, b.Available(id))
				b.autoRenew(id, false)
				b.owner.At(end)
				require.Equal(t, 1, d.One("subscription.expire_due", batch(nil, 10))["expired"], fmt.Sprint(test.at))
			}
		})
	}
}
