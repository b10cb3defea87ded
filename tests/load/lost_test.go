package load_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

// TestAnOperationIsRepeatedUntilItIsDefinite loses every other answer: each operation is done once, and its client knows.
func TestAnOperationIsRepeatedUntilItIsDefinite(t *testing.T) {
	t.Parallel()
	b := harness.New(t)
	d := &desk.Desk{TB: t, Conn: b.DBA}
	d.Shop()
	pool, _ := b.LossyPool(t, harness.BotLogin, harness.Loss{Seed: 1, Answer: 0.5})
	h := history.New(desk.Anna, desk.Anna, 1)
	unknown := 0
	for _, key := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		op, rows := load.Do(t.Context(), pool, h, history.Op{User: desk.Anna, Function: "wallet.credit", Key: key, Amount: 5,
			Args: history.Args{"p_telegram_id": desk.Anna, "p_amount_kopecks": 5, "p_admin_id": desk.Boss, "p_note": "n",
				"p_idempotency_key": key}})
		require.Len(t, rows, 1)
		require.Equal(t, op.Unknown > 0, op.Answer["is_replay"], "the first attempt has done it, and its answer was lost")
		require.Len(t, op.Retried, op.Unknown)
		unknown += op.Unknown
	}
	require.Positive(t, unknown)
	require.Equal(t, 8, h.Len())
	require.Equal(t, desk.Rich+8*5, d.Available(desk.Anna))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	op, _ := load.Do(ended, pool, h, history.Op{Function: "wallet.balance", Args: history.Args{"p_telegram_id": desk.Anna}})
	require.True(t, op.IsOpen, "nobody waits for it any more")
}
