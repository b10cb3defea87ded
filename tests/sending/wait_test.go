package sending_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/limit"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/telegram"
	"atlas-secure/tests/harness"
)

// once is that every one of the first n users got one message.
func (b *bundle) once(n int) {
	b.Helper()
	got := b.calls.perChat(http.StatusOK)
	for i := range n {
		require.Equal(b, 1, got[int64(firstUser+i)], "messages to user %d", firstUser+i)
	}
}

// TestT3PeopleComeBeforeBulk has two processes send a long queue while people get answers from both. Telegram's limit is
// kept by all of them together, and an answer does not wait as the queue does.
func TestT3PeopleComeBeforeBulk(t *testing.T) {
	b := setup(t)
	const queue, answers = 200, 20
	b.crowd(queue + answers)
	b.enqueue(queue)
	require.NoError(t, b.people.LimitMessages(t.Context(), 30))

	one, two := b.process(telegram.DefaultLimits()), b.process(telegram.DefaultLimits())
	var waits []time.Duration // of answers for which somebody began to wait while there was a queue
	over, stop := context.WithCancel(t.Context())
	var talk sync.WaitGroup
	talk.Go(func() {
		for i := range answers {
			time.Sleep(250 * time.Millisecond)
			if over.Err() != nil {
				return
			}
			start := time.Now()
			sender := []*process{one, two}[i%2].sender
			_, err := sender.Send(t.Context(), telegram.Message{ChatID: int64(firstUser + queue + i), HTML: "your answer"})
			assert.NoError(t, err)
			waits = append(waits, time.Since(start))
		}
	})
	b.finish(one, two)
	stop()
	talk.Wait()

	require.Empty(t, b.calls.ended(http.StatusTooManyRequests), "Telegram had to say no")
	b.once(queue)
	require.GreaterOrEqual(t, len(waits), 3, "answers for which somebody waited")
	bulk := slices.Concat(one.waits, two.waits)
	slices.Sort(bulk)
	slices.Sort(waits)
	t.Logf("median wait: %s of %d answers, %s in the queue", waits[len(waits)/2], len(waits), bulk[len(bulk)/2])
	require.Less(t, 8*waits[len(waits)/2], bulk[len(bulk)/2], "answers stand in the queue")
}

// TestT3ToldToWait answers one message with 429. From then on no process sends anything, to anybody, until the time is
// over; then everybody gets what was for them, once.
func TestT3ToldToWait(t *testing.T) {
	b := setup(t)
	const queue = 300
	const wait = 3
	seed := harness.Seed(t)
	chosen := int64(firstUser + 30 + rand.New(rand.NewPCG(seed, 0)).IntN(70))
	b.crowd(queue)
	b.enqueue(queue)
	_, err := b.api.AddFault(botapi.Fault{Method: "sendMessage", ChatID: chosen, Action: botapi.FaultError, RetryAfter: wait})
	require.NoError(t, err)
	limits := wide()
	limits.All = limit.Rule{Events: 100, Per: time.Second, Burst: 10} // when it is told to wait, much of the queue is left
	b.finish(b.process(limits), b.process(limits))

	b.once(queue)
	require.Equal(t, map[string]int{"done": queue}, b.outcomes())
	told := b.calls.ended(http.StatusTooManyRequests)
	require.Len(t, told, 1)
	before, during, after := 0, 0, 0
	for _, made := range b.calls.ended(http.StatusOK) {
		switch since := made.at.Sub(told[0].at); {
		case since < 500*time.Millisecond: // what was on its way
			before++
		case since < wait*time.Second-100*time.Millisecond:
			during++
		default:
			after++
		}
	}
	require.Zero(t, during, "sent while Telegram said to wait (%d before, %d after)", before, after)
	require.Positive(t, after)
}

// TestT3LongWaitsLoseNothing tells every message to wait for an hour, more often than a message may fail.
func TestT3LongWaitsLoseNothing(t *testing.T) {
	b := setup(t)
	const queue, rounds = 20, 12
	b.crowd(queue)
	b.enqueue(queue)
	for round := range rounds {
		_, err := b.api.AddFault(botapi.Fault{Method: "*", Action: botapi.FaultError, RetryAfter: 3600, Count: 1000})
		require.NoError(t, err)
		b.process(wide()).turn(t) // a new process each hour: nothing that matters is in its memory
		require.Equal(t, queue, b.left())
		require.Equal(t, map[string]int{"waiting": queue}, b.outcomes())
		require.Equal(t, 0, b.owner.Value("select max(attempt)::int from outbox.task where kind = 'message'"), "it costs no attempt")
		b.api.ClearFaults()
		b.owner.Later(fmt.Sprintf("%d hours", round+1))
		require.NoError(t, b.redis.Client.FlushDB(t.Context()).Err()) // the gate's hour is over, too
	}
	b.finish(b.process(wide()))
	b.once(queue)
	require.Equal(t, map[string]int{"done": queue}, b.outcomes())
	require.Zero(t, b.owner.Value("select count(*) from ops.dead_letter"))
}
