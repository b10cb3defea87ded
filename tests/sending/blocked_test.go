package sending_test

import (
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/load"
)

// TestT6WhoBlockedTheBotIsLeftAlone sends two messages to each of a crowd (ATLAS_TEST_FACTOR=10: ten thousand people), a
// tenth of whom has blocked the bot. Each of these is tried once, and noted; the second message is not even tried.
func TestT6WhoBlockedTheBotIsLeftAlone(t *testing.T) {
	b := setup(t)
	people := 1000 * load.Factor(t)
	random := rand.New(rand.NewPCG(harness.Seed(t), 6))
	hasBlocked := map[int64]bool{}
	for _, who := range b.crowd(people) {
		if random.IntN(10) == 0 {
			require.NoError(t, who.Block(t.Context()))
			hasBlocked[who.ID] = true
		}
	}
	require.NotEmpty(t, hasBlocked)
	b.enqueue(people)
	b.enqueue(people)
	b.finish(b.process(wide()), b.process(wide()))

	sent, refused := b.calls.perChat(http.StatusOK), b.calls.perChat(http.StatusForbidden)
	require.Len(t, refused, len(hasBlocked))
	for i := range people {
		id := int64(firstUser + i)
		if hasBlocked[id] {
			require.Equal(t, 1, refused[id], "tries at user %d, who has blocked the bot", id)
			require.Zero(t, sent[id])
		} else {
			require.Equal(t, 2, sent[id], "messages to user %d", id)
		}
	}
	require.Equal(t, map[string]int{"done": 2 * (people - len(hasBlocked)), "unreachable": 2 * len(hasBlocked)}, b.outcomes())
	flagged := b.owner.Query("select telegram_id from account.account where not is_reachable")
	require.Len(t, flagged, len(hasBlocked))
	for _, row := range flagged {
		require.True(t, hasBlocked[int64(row["telegram_id"].(int))])
	}
}
