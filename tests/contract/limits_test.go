package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLimits: all attempts may come at once, then one at a time as tokens grow back; nothing is counted for a refusal.
func TestLimits(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	wait := func(user int, action string) time.Duration {
		b.Helper()
		row := b.One("ops.take_attempt", A{"p_telegram_id": user, "p_action": action})
		return milliseconds(row["wait_milliseconds"].(int))
	}
	require.Equal(t, []Row{
		{"action": "admin", "attempts": 100, "per_seconds": 60}, {"action": "corporate", "attempts": 3, "per_seconds": 86400},
		{"action": "payment", "attempts": 5, "per_seconds": 60},
		{"action": "promo", "attempts": 10, "per_seconds": 60}, {"action": "reissue", "attempts": 3, "per_seconds": 300},
		{"action": "trial", "attempts": 1, "per_seconds": 3600}, {"action": "withdrawal", "attempts": 3, "per_seconds": 3600},
	}, b.Query("select action, attempts, per_seconds from ops.rate_limits()"))

	for _, row := range b.Query("select action, attempts, per_seconds from ops.rate_limits()") {
		token := milliseconds(1000 * row["per_seconds"].(int) / row["attempts"].(int))
		action := row["action"].(string)
		b.owner.At(at)
		for range row["attempts"].(int) {
			require.Zero(t, wait(anna, action), action)
		}
		for range 3 {
			require.Equal(t, token, wait(anna, action), "%s: a refusal counts nothing", action)
		}
		require.Zero(t, wait(bert, action), "%s: others have their own", action)
		b.owner.At(at.Add(token - time.Millisecond))
		require.Equal(t, time.Millisecond, wait(anna, action), action)
		b.owner.At(at.Add(token))
		require.Zero(t, wait(anna, action), action)
		require.Equal(t, token, wait(anna, action), "%s: one token and no more", action)
		b.owner.At(at.Add(48 * time.Hour))
		for range row["attempts"].(int) {
			require.Zero(t, wait(anna, action), "%s: whole again, and not more than whole", action)
		}
		require.Positive(t, wait(anna, action), action)
	}

	b.owner.At(at)
	b.One("ops.set_setting", A{"p_name": "promo_attempts_per_minute", "p_value": 2})
	require.Zero(t, wait(nobody, "promo"))
	require.Zero(t, wait(nobody, "promo"))
	require.Equal(t, 30*time.Second, wait(nobody, "promo"), "a new figure counts at once")
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
