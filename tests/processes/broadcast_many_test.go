package processes_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

const (
	firstOfMany = 1_000_001
	talkers     = 20 // people who write to the bot meanwhile
)

// asked is a figure of a run: what the environment says, or the short one of every day.
func asked(t *testing.T, variable string, short int) (figure int, isSaid bool) {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return short, false
	}
	figure, err := strconv.Atoi(text)
	require.NoError(t, err, variable)
	return figure, true
}

// many are people who have started the bot; every tenth of them has blocked it since. Nobody handles what they wrote.
func (b *bundle) many(count int) {
	b.Helper()
	var coming errgroup.Group
	coming.SetLimit(8)
	for i := range count {
		coming.Go(func() error {
			p, err := b.people.Ensure(context.Background(), botapi.Person{ID: firstOfMany + int64(i), FirstName: "P", LanguageCode: "en"})
			if err != nil {
				return err
			}
			if _, err = p.Send(context.Background(), "/start"); err == nil && isBlocked(i) {
				err = p.Block(context.Background())
			}
			return err
		})
	}
	require.NoError(b, coming.Wait())
	b.Query(`select count(*) from generate_series($1::bigint, $2) u cross join lateral account.register(
		p_telegram_id => u, p_username => null, p_language => 'en', p_start_payload => null) r`, firstOfMany, firstOfMany+count-1)
	b.owner.Query("update account.account set is_reachable = false where telegram_id < $1", firstOfMany) // they have no chat
	b.owner.Query("analyze account.account")
	dropped, err := http.Get(b.telegram.URL + "/bot" + token + "/deleteWebhook?drop_pending_updates=true")
	require.NoError(b, err)
	_ = dropped.Body.Close()
	require.Equal(b, http.StatusOK, dropped.StatusCode)
}

// talk has people ask the bot one question after another until stop, which gives how long each answer took.
func (b *bundle) talk() (stop func() []time.Duration) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var talking sync.WaitGroup
	var mu sync.Mutex
	var waits []time.Duration
	for i := range talkers {
		p, err := b.people.Ensure(ctx, botapi.Person{ID: firstPerson + int64(i), FirstName: "T", LanguageCode: "en"})
		require.NoError(b, err)
		talking.Go(func() {
			ticker := time.NewTicker(1200 * time.Millisecond) // Telegram allows one a second to one person
			defer ticker.Stop()
			for answers := 1; ctx.Err() == nil; answers++ {
				start := time.Now()
				if _, err := p.Send(context.Background(), question); err != nil {
					b.Errorf("asking: %v", err)
					return
				}
				if err := heard(p, answers); err != nil {
					b.Errorf("no answer: %v", err)
					return
				}
				mu.Lock()
				waits = append(waits, time.Since(start))
				mu.Unlock()
				<-ticker.C
			}
		})
	}
	stop = sync.OnceValue(func() []time.Duration { cancel(); talking.Wait(); slices.Sort(waits); return waits })
	b.Cleanup(func() { stop() })
	return stop
}

// heard waits until somebody has so many messages of the bot.
func heard(p *person.Person, count int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := p.WaitChat(ctx, func(view botapi.ChatView) bool {
		heard := 0
		for _, m := range view.Messages {
			if m.IsOutgoing {
				heard++
			}
		}
		return heard >= count
	})
	return err
}

// peak is the most memory that a process has had, in megabytes.
func (p *process) peak(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	require.NoError(t, err)
	kilobytes, err := strconv.Atoi(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(string(text))[1])
	require.NoError(t, err)
	return kilobytes / 1024
}

// TestBroadcastToMany writes to a crowd, a tenth of whom is gone, while others talk with the bot. Half way the worker is
// killed and another one goes on. Everybody gets it once, but for those who were being written to at that moment; Telegram
// never has to say no; and who asks the bot something has an answer as at any other time.
//
// `make broadcast` has a hundred thousand people, at more than Telegram's usual pace, which would take over an hour. T7 is
// at the usual one.
func TestBroadcastToMany(t *testing.T) {
	count, isWhole := asked(t, "ATLAS_BROADCAST_PEOPLE", 2000)
	rate, _ := asked(t, "ATLAS_BROADCAST_RATE", 200)
	b := setup(t)
	b.onlyJob("broadcast.send")
	b.many(count)
	require.NoError(t, b.people.LimitMessages(t.Context(), float64(rate)*1.2))
	env := []string{fmt.Sprintf("LOCAL_MESSAGES_PER_SECOND=%d", rate*12/10), fmt.Sprintf("LOCAL_BROADCASTS_PER_SECOND=%d", rate), "LOCAL_LOG_LEVEL=WARN"}
	id := b.One("broadcast.prepare", A{"p_admin_id": boss, "p_title": "News", "p_kind": "info", "p_segment": "never_bought",
		"p_text_a": newsText, "p_text_b": nil, "p_starts_at": nil, "p_idempotency_key": "news"})["broadcast_id"]
	b.sends.watch(html.EscapeString(newsText))
	b.start("bot", env...)
	first := b.start("worker", env...)
	before := b.root.Value("select pg_database_size(current_database())").(int)
	b.One("broadcast.start", A{"p_admin_id": boss, "p_broadcast_id": id})
	reached := func(people int) {
		b.eventuallyIn("so many are through", time.Hour, func() bool {
			return b.owner.Value("select sent + unreachable >= $1 from broadcast.progress", people) == true
		})
	}
	reached(1) // it goes by number, and has left out those who are about to talk: none of them had a chat
	stop := b.talk()
	for tenth := range 5 {
		reached(count * (tenth + 1) / 10)
		t.Logf("%s: %d of %d", time.Now().Format(time.TimeOnly), count*(tenth+1)/10, count)
	}
	memory := first.peak(t)
	require.NoError(t, first.Process.Signal(syscall.SIGKILL))
	first.end()
	second := b.start("worker", env...)
	b.eventuallyIn("everybody has had their turn", time.Hour, func() bool {
		return b.owner.Value(`select sent + unreachable + unknown + unfinished >= $1 and not exists (
			select from broadcast.recipient where outcome = 'sending' and leased_until > core.now() + interval '15 seconds')
			from broadcast.progress`, count) == true
	})
	waits := stop()
	memory = max(memory, second.peak(t))
	b.owner.Later("31 seconds") // what nobody ended is unknown from now on
	b.until("it is over", "select status = 'done' from broadcast.progress")
	second.end()

	progress := b.Query("select sent, unreachable, failed, unknown, unfinished from broadcast.progress")[0]
	p99 := waits[len(waits)*99/100]
	t.Logf("%d people: %v; %.0f a second, at most %d in any one; refused by status: %v", count, progress, b.sends.pace(), b.sends.busiest(), b.sends.refused)
	t.Logf("%d answers to people meanwhile: half within %s, 99 %% within %s, the last within %s", len(waits), waits[len(waits)/2], p99, waits[len(waits)-1])
	t.Logf("worker: %d MB; the database has grown by %d MB, recipients take %d MB", memory,
		(b.root.Value("select pg_database_size(current_database())").(int)-before)>>20,
		b.root.Value("select pg_total_relation_size('broadcast.recipient')").(int)>>20)
	b.judgeMany(count, progress)
	require.Zero(t, b.sends.refused[http.StatusTooManyRequests], "Telegram had to say no")
	if isWhole { // alone on the machine; every day others run beside it
		require.Less(t, p99, time.Second)
	}
	require.Less(t, waits[len(waits)/2], time.Second)
	require.Empty(t, b.Query("select * from ops.reconcile()"))
}

// judgeMany compares what each person has got with what the database says.
func (b *bundle) judgeMany(count int, progress Row) {
	b.Helper()
	outcomes := map[int]string{}
	for _, row := range b.owner.Query("select telegram_id, outcome::text as outcome from broadcast.recipient") {
		outcomes[row["telegram_id"].(int)] = row["outcome"].(string)
	}
	written := len(outcomes) // require.Len would print them all
	require.Equal(b, count, written, "those who talk are not among them")
	for i := range count {
		id := firstOfMany + i
		got := b.sends.taken[int64(id)]
		switch outcome := outcomes[id]; {
		case isBlocked(i):
			require.Zero(b, got, id)
			require.Contains(b, []string{"unreachable", "unknown"}, outcome, id)
		case outcome == "unknown":
			require.LessOrEqual(b, got, 1, id)
		default:
			require.Equal(b, "sent", outcome, id)
			require.Equal(b, 1, got, id)
		}
	}
	require.Equal(b, []any{0, 0}, []any{progress["failed"], progress["unfinished"]})
	require.LessOrEqual(b, progress["unknown"], hands, "those in flight when the worker was killed")
	require.Equal(b, progress["unreachable"], b.count("account.account where telegram_id >= $1 and not is_reachable", firstOfMany))
}
