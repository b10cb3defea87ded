package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (b *bundle) remind() any {
	b.Helper()
	return b.One("notify.enqueue_due", batch(nil, 100))["enqueued"]
}

// reminders are the reminders in a user's outbox, oldest first.
func (b *bundle) reminders(id int) []string {
	b.Helper()
	names := []string{}
	for _, name := range b.messages(id) {
		switch name {
		case "reminder_3d", "reminder_24h", "reminder_6h", "reminder_3h", "trial_6h", "trial_48h", "trial_ending":
			names = append(names, name)
		}
	}
	return names
}

// begun lets something begin at a moment and gives its end.
func (b *bundle) begun(at time.Time, what func()) time.Time {
	b.Helper()
	b.owner.At(at)
	what()
	return b.Ends(bert)
}

func TestReminders(t *testing.T) {
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	type due struct {
		afterStart, beforeEnd time.Duration
		template              string
	}
	const hour, day = time.Hour, 24 * time.Hour
	given := func(duration string) func(b *bundle) {
		return func(b *bundle) { b.One("subscription.grant_time", grant(bert, "basic", duration, "g")) }
	}
	for name, test := range map[string]struct {
		begin func(b *bundle)
		dues  []due
	}{
		"paid": {func(b *bundle) { b.Credit(bert, 50000); b.Buy(bert, "basic", 1, "k") },
			[]due{{0, 3 * day, "reminder_3d"}, {0, day, "reminder_24h"}, {0, 3 * hour, "reminder_3h"}}},
		"trial": {func(b *bundle) { b.trial(bert, "t") },
			[]due{{6 * hour, 0, "trial_6h"}, {48 * hour, 0, "trial_48h"}, {0, 6 * hour, "trial_ending"}}},
		"1 day":              {given("1 day"), []due{{0, 6 * hour, "reminder_6h"}}},
		"1 day, 1 minute":    {given("1441 minutes"), []due{{0, day, "reminder_24h"}}},
		"7 days":             {given("7 days"), []due{{0, day, "reminder_24h"}}},
		"14 days":            {given("14 days"), []due{{0, 3 * day, "reminder_3d"}, {0, day, "reminder_24h"}, {0, 3 * hour, "reminder_3h"}}},
		"10 minutes":         {given("10 minutes"), nil},
		"6 hours to the dot": {given("6 hours"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			end := b.begun(at, func() { test.begin(b) })
			require.Equal(t, 0, b.remind())
			want := []string{}
			for _, d := range test.dues {
				moment := at.Add(d.afterStart)
				if d.beforeEnd > 0 {
					moment = end.Add(-d.beforeEnd)
				}
				b.owner.At(moment.Add(-time.Microsecond))
				require.Equal(t, 0, b.remind(), d.template)
				b.owner.At(moment)
				require.Equal(t, 1, b.remind(), d.template)
				require.Equal(t, 0, b.remind(), "once: "+d.template)
				b.owner.At(moment.Add(10 * time.Minute)) // a change within the hour lets the worker look again
				b.owner.Query("update subscription.subscription set reminder_check_at = core.now()")
				require.Equal(t, 0, b.remind(), "still once: "+d.template)
				want = append(want, d.template)
				require.Equal(t, want, b.reminders(bert))
			}
			require.Equal(t, 0, b.count("subscription.subscription where reminder_check_at is not null"))
			b.owner.At(end)
			require.Equal(t, 0, b.remind())
		})
	}
}

func TestReminderText(t *testing.T) {
	b := setup(t)
	end := b.begun(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), func() { b.trial(bert, "t") })
	b.owner.At(end.Add(-6 * time.Hour))
	b.remind()
	message := b.claim(10)[0]
	require.Equal(t, "trial_ending", message["template"])
	require.Subset(t, message["arguments"], map[string]any{"tariff": "basic", "expires_at": "2027-03-08T10:00:00+00:00"})
}

// TestLateRemindersAreDropped: after any downtime at most the latest is sent, and only within the tolerance.
func TestLateRemindersAreDropped(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	for name, test := range map[string]struct {
		before time.Duration // the worker comes back so long before the end
		want   []string
	}{
		"within the hour":         {3*day - hour, []string{"reminder_3d", "reminder_24h", "reminder_3h"}},
		"after an hour":           {3*day - hour - time.Second, []string{"reminder_24h", "reminder_3h"}},
		"after two":               {day - hour, []string{"reminder_24h", "reminder_3h"}},
		"after two, and too late": {day - hour - time.Second, []string{"reminder_3h"}},
		"after all":               {2 * hour, []string{"reminder_3h"}},
		"after all, too late":     {2*hour - time.Second, []string{}},
		"after the end":           {0, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.Credit(bert, 50000)
			end := b.begun(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), func() { b.Buy(bert, "basic", 1, "k") })
			for _, left := range []time.Duration{test.before, day, 3 * hour} {
				if left <= test.before {
					b.owner.At(end.Add(-left))
					b.remind()
				}
			}
			require.Equal(t, test.want, b.reminders(bert))
		})
	}
}

func TestReminderAfterTheEndIsNotSent(t *testing.T) {
	b := setup(t)
	b.One("ops.set_setting", A{"p_name": "reminder_tolerance_seconds", "p_value": 86400})
	end := b.begun(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), func() { b.trial(bert, "t") })
	b.owner.At(end)
	require.Equal(t, 0, b.remind())
}

// TestPurchaseAmongReminders buys before, between and after the reminders: none is lost and none comes twice.
func TestPurchaseAmongReminders(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	for _, left := range []time.Duration{20 * day, 3*day + time.Second, 3 * day, 3*day - time.Second, 2 * day, day, 4 * hour,
		3 * hour, hour, time.Second} {
		for _, isLate := range []bool{false, true} { // whether the worker had been there just before
			t.Run(left.String(), func(t *testing.T) {
				b := setup(t)
				b.Credit(bert, 1_000_000)
				end := b.begun(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), func() { b.Buy(bert, "basic", 1, "1") })
				seen := []string{}
				for _, r := range []struct {
					before   time.Duration
					template string
				}{{3 * day, "reminder_3d"}, {day, "reminder_24h"}, {3 * hour, "reminder_3h"}} {
					if r.before > left || (r.before == left && !isLate) {
						b.owner.At(end.Add(-r.before))
						require.Equal(t, 1, b.remind())
						seen = append(seen, r.template)
					}
				}
				b.owner.At(end.Add(-left))
				b.Buy(bert, "basic", 1, "2")
				end = b.Ends(bert)
				for _, of := range []time.Time{end.AddDate(0, -1, 0), end} {
					for _, before := range []time.Duration{3 * day, day, 3 * hour, 0} {
						for _, later := range []time.Duration{0, 20 * time.Second, 50 * time.Minute} {
							if moment := of.Add(later - before); moment.After(of.Add(-left)) || of == end {
								b.owner.At(moment)
								b.remind()
							}
						}
					}
				}
				require.Equal(t, append(seen, "reminder_3d", "reminder_24h", "reminder_3h"), b.reminders(bert))
			})
		}
	}
}

func TestRefreshedPeriodsHaveTheirOwnReminders(t *testing.T) {
	b := setup(t)
	b.Credit(bert, 1_000_000)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	end := b.begun(at, func() { b.trial(bert, "t") })
	b.owner.At(at.Add(6 * time.Hour))
	require.Equal(t, 1, b.remind())
	b.Buy(bert, "basic", 1, "k") // replaces the trial
	b.owner.At(at.Add(48 * time.Hour))
	require.Equal(t, 0, b.remind())
	b.owner.At(end.Add(-6 * time.Hour))
	require.Equal(t, 0, b.remind())
	require.Equal(t, 0, b.expire())
	require.Equal(t, []string{"trial_6h"}, b.reminders(bert))

	end = b.Ends(bert)
	b.owner.At(end.AddDate(0, 0, -3))
	require.Equal(t, 1, b.remind())
	b.One("vpn.reissue", reissue(bert, nil, "k"))
	b.autoRenew(bert, true)
	require.Equal(t, 0, b.remind(), "neither changes the period")
	b.One("subscription.revoke", revoke(bert, "r"))
	b.owner.At(end.AddDate(0, 0, -1))
	require.Equal(t, 0, b.remind(), "nothing is in force")
}

func TestF3PoisonedReminder(t *testing.T) {
	for how, poison := range poisons("outbox.task") {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			b.harness.BooksAreWrong("Anna cannot be reminded")
			at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
			b.owner.At(at)
			b.trial(anna, "t")
			b.trial(bert, "t")
			b.remind()
			b.script(poison)
			b.owner.At(at.Add(6 * time.Hour))
			require.Equal(t, 1, b.remind())
			require.Equal(t, []string{"trial_6h"}, b.reminders(bert))
			b.buried("notify.enqueue_due")
		})
	}
}
