package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAReminderThatWaitedTooLongIsNotSent: the reminders came while nobody could send. What is sent then is one at most, and
// true; what has happened is told all the same.
func TestAReminderThatWaitedTooLongIsNotSent(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	for name, test := range map[string]struct {
		back time.Duration // the sender comes back so long before the end
		want []string
	}{
		"within the hour of the first": {3*day - hour, []string{"1002 payment_applied", "1002 reminder_3d"}},
		"after it":                     {3*day - hour - time.Second, []string{"1002 payment_applied"}},
		"with the second":              {day, []string{"1002 payment_applied", "1002 reminder_24h"}},
		"with the third":               {3 * hour, []string{"1002 payment_applied", "1002 reminder_3h"}},
		"after all":                    {hour, []string{"1002 payment_applied"}},
		"after the end":                {-hour, []string{"1002 payment_applied", "1002 subscription_expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.Credit(bert, 50000)
			end := b.begun(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), func() { b.Buy(bert, "basic", 1, "k") })
			for _, left := range []time.Duration{3 * day, day, 3 * hour} {
				if left >= test.back {
					b.owner.At(end.Add(-left))
					require.Equal(t, 1, b.remind(), "queued, by pg_cron or a worker that cannot send")
				}
			}
			b.owner.At(end.Add(-test.back))
			b.expire()
			require.Equal(t, test.want, b.deliver())
			require.Zero(t, b.count("outbox.task where kind = 'message' and finished_at is null"))
		})
	}
}

// TestAReminderOfAnEndThatHasMovedIsNotSent: who renews between the reminder and its sending is not told of the old end.
func TestAReminderOfAnEndThatHasMovedIsNotSent(t *testing.T) {
	b := setup(t)
	b.Credit(bert, 50000)
	end := b.begun(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), func() { b.Buy(bert, "basic", 1, "k") })
	b.owner.At(end.Add(-24 * time.Hour))
	require.Equal(t, 1, b.remind())
	b.Buy(bert, "basic", 1, "renewed")
	require.Equal(t, []string{"1002 payment_applied", "1002 payment_applied"}, b.deliver())
	require.Equal(t, []Row{{"outcome": "outdated"}},
		b.owner.Query("select outcome from outbox.task where name = 'reminder_24h'"))
}
