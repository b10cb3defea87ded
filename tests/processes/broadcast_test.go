package processes_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/load"
)

const (
	recipients = 300 // times load.Factor; at 25 a second
	newsText   = "News for everybody <&>"
)

// audience is people who have started the bot; every tenth of them has blocked it since.
func (b *bundle) audience(t *testing.T, count int) []*person.Person {
	t.Helper()
	all := make([]*person.Person, count)
	var starts errgroup.Group
	starts.SetLimit(8)
	for i := range all {
		id := firstID + i
		b.User(id)
		starts.Go(func() error {
			p, err := b.people.Ensure(t.Context(), botapi.Person{ID: int64(id), FirstName: "P", LanguageCode: "en"})
			if err != nil {
				return err
			}
			if _, err = p.Send(t.Context(), "/start"); err == nil && isBlocked(i) {
				err = p.Block(t.Context())
			}
			all[i] = p
			return err
		})
	}
	require.NoError(t, starts.Wait())
	return all
}

func isBlocked(i int) bool { return i%10 == 3 }

// TestT7BroadcastCrash kills the worker, and then stops one and lets another go on, in the middle of a broadcast. Who can
// be reached gets it once; who was being written to at that moment may have got it, is counted, and gets nothing more.
func TestT7BroadcastCrash(t *testing.T) {
	b := setup(t)
	b.onlyJob("broadcast.send")
	count := recipients * load.Factor(t)
	people := b.audience(t, count)
	require.NoError(t, b.people.LimitMessages(t.Context(), 30)) // what Telegram allows: faster, and it answers 429
	id := b.One("broadcast.prepare", A{"p_admin_id": boss, "p_title": "News", "p_kind": "info", "p_segment": "never_bought",
		"p_text_a": newsText, "p_text_b": nil, "p_starts_at": nil, "p_idempotency_key": "news"})["broadcast_id"]
	b.owner.Query("update account.account set is_reachable = false where telegram_id < $1", firstID) // they have no chat
	b.One("broadcast.start", A{"p_admin_id": boss, "p_broadcast_id": id})
	reached := func(share int) {
		b.until(fmt.Sprintf("%d %% are through", share), "select count(*) >= $1 from broadcast.recipient where finished_at is not null",
			count*share/100)
	}

	first := b.start("worker")
	reached(30)
	require.NoError(t, first.Process.Signal(syscall.SIGKILL))
	first.end()
	second := b.start("worker")
	reached(60)
	require.NoError(t, second.Process.Signal(syscall.SIGSTOP))
	third := b.start("worker")
	reached(80)
	require.NoError(t, second.Process.Signal(syscall.SIGCONT))
	b.until("everybody has had their turn", `select count(*) = $1 from broadcast.recipient
		where outcome in ('sent', 'unreachable') or leased_until is not null or outcome = 'unknown'`, count)
	b.owner.Later("31 seconds") // what nobody ended is unknown from now on
	b.until("it is over", "select status = 'done' from broadcast.progress")
	second.end()
	third.end()

	progress := b.Query("select sent, unreachable, failed, unknown, unfinished from broadcast.progress")[0]
	t.Logf("of %d people: %v", count, progress)
	outcomes := map[any]any{}
	for _, row := range b.owner.Query("select telegram_id, outcome::text as outcome from broadcast.recipient") {
		outcomes[row["telegram_id"]] = row["outcome"]
	}
	got := 0
	for i, p := range people {
		view, err := p.Chat(t.Context())
		require.NoError(t, err)
		messages := 0
		for _, m := range view.Messages {
			if m.IsOutgoing && m.Text == newsText {
				messages++
			}
		}
		got += messages
		switch outcome := outcomes[firstID+i]; {
		case isBlocked(i):
			require.Zero(t, messages)
			require.Contains(t, []any{"unreachable", "unknown"}, outcome)
		case outcome == "unknown":
			require.LessOrEqual(t, messages, 1)
		default:
			require.Equal(t, "sent", outcome)
			require.Equal(t, 1, messages, "%d", firstID+i)
		}
	}
	require.Equal(t, Row{"failed": 0, "unfinished": 0}, Row{"failed": progress["failed"], "unfinished": progress["unfinished"]})
	require.LessOrEqual(t, progress["unknown"], 2*16, "those in flight when a worker was killed")
	require.GreaterOrEqual(t, got, progress["sent"])
	require.Equal(t, progress["unreachable"], b.count("account.account where telegram_id >= $1 and not is_reachable", firstID))
}
