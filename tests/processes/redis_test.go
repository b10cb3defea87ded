package processes_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/harness"
)

const (
	paymentTries = 5
	shortCrowd   = 30
	guesserID    = 20_001
)

// asks is somebody who asks for an invoice of the same purchase.
type asks struct {
	*person.Person
	message int
	data    string
}

// guesser is somebody with an opened purchase. Payment tokens grow back too slowly for a test to see.
func (b *bundle) guesser(t *testing.T) asks {
	t.Helper()
	b.owner.Query("update ops.rate_limit set per_seconds = 36000 where action = 'payment'")
	b.User(guesserID)
	purchase := b.Open(guesserID, "basic", 1, "k")
	p, err := b.people.Ensure(t.Context(), botapi.Person{ID: guesserID, FirstName: "G", LanguageCode: "en"})
	require.NoError(t, err)
	_, err = p.Send(t.Context(), "/start")
	require.NoError(t, err)
	m, err := p.WaitMessage(t.Context(), func(m botapi.ChatMessage) bool { return m.IsOutgoing })
	require.NoError(t, err)
	return asks{Person: p, message: m.MessageID, data: screen.VerbStars.With(purchase)}
}

// ask presses for invoices and waits until each press is worked off.
func (b *bundle) ask(t *testing.T, a asks, times int) {
	t.Helper()
	before := b.count("inbox.update where chat_id = $1", guesserID)
	for range times {
		_, err := a.Tap(t.Context(), person.Tap{MessageID: a.message, Data: a.data, Forged: true})
		require.NoError(t, err)
	}
	b.until("every press is worked off", "select count(*) = $1 from inbox.update where chat_id = $2 and finished_at is not null",
		before+times, guesserID)
}

func (b *bundle) invoices(t *testing.T, a asks) int {
	t.Helper()
	view, err := a.Chat(t.Context())
	require.NoError(t, err)
	return strings.Count(person.Transcript(view), "(invoice")
}

func all(t *testing.T, taps []func() error) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(16)
	for _, tap := range taps {
		group.Go(tap)
	}
	require.NoError(t, group.Wait())
}

// TestH1RedisIsDown: two bots lose their Redis. Everybody's purchase is paid, once; who asked for invoices before has as
// many left as before, at whichever bot; and when Redis is back it is used again, without a restart of anything.
func TestH1RedisIsDown(t *testing.T) {
	b := setup(t)
	r := harness.PrivateRedis(t)
	for range 2 {
		b.start("bot", "LOCAL_REDIS_URL="+r.URL)
	}
	taps := b.crowd(t, shortCrowd)
	guesser := b.guesser(t)
	b.ask(t, guesser, 3)
	require.Equal(t, 3, b.invoices(t, guesser))

	require.NoError(t, r.Server.Kill())
	all(t, taps)
	b.until("all are paid", "select count(*) = $1 from billing.purchase where status = 'paid'", shortCrowd)
	require.Equal(t, shortCrowd, b.count("ledger.transfer where reason = 'purchase'"), "once each")
	b.ask(t, guesser, 6)
	require.Equal(t, paymentTries, b.invoices(t, guesser), "the limit is the same one")

	require.NoError(t, r.Server.Restart(t.Context()))
	b.eventually("Redis is used again", func() bool {
		b.ask(t, guesser, 1)
		keys, err := r.Client.Keys(t.Context(), "atlas:local:{"+strconv.Itoa(guesserID)+"}:payment").Result()
		return err == nil && len(keys) == 1
	})
	require.Equal(t, paymentTries, b.invoices(t, guesser), "an empty Redis gives nobody an attempt")
	require.Zero(t, b.count("ops.dead"))
}

// TestH2RedisIsSlow: answers take two seconds. Updates wait 300 ms at most for all that they ask, and soon nobody asks.
func TestH2RedisIsSlow(t *testing.T) {
	b := setup(t)
	proxy := harness.PrivateRedis(t).Proxy(t)
	p := b.start("bot", "LOCAL_REDIS_URL="+proxy.URL)
	address := p.address(b)
	taps := b.crowd(t, shortCrowd)
	before, updates := metric(t, address, "atlas_redis_wait_seconds_sum"), b.count("inbox.update")
	proxy.Latency(harness.ToClient, 2*time.Second, 0)
	all(t, taps)
	b.eventually("Redis is left alone", func() bool {
		require.NoError(t, taps[0]()) // one more press; the purchase is paid
		return metric(t, address, "atlas_redis_resting") == 1
	})
	b.until("all are paid", "select count(*) = $1 from billing.purchase where status = 'paid'", shortCrowd)
	b.until("all is worked off", "select bool_and(finished_at is not null) from inbox.update")
	waited := metric(t, address, "atlas_redis_wait_seconds_sum") - before
	require.Positive(t, waited)
	require.Less(t, waited, 0.3*float64(b.count("inbox.update")-updates), "seconds, all updates together")
	require.Equal(t, shortCrowd, b.count("ledger.transfer where reason = 'purchase'"), "once each")
}

// TestH6RedisIsFull: stage does not start with a Redis that forgets keys when it is full. One that refuses writes instead
// changes no limit.
func TestH6RedisIsFull(t *testing.T) {
	b := setup(t)
	r := harness.PrivateRedis(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, r.Client.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru").Err())
	stage := exec.CommandContext(ctx, program(t, "bot"))
	stage.Env = append(append([]string{}, b.env...), "APP_ENV=stage", "STAGE_BOT_TOKEN="+token, "STAGE_REDIS_URL="+r.URL, "STAGE_BOT_API_URL="+b.telegram.URL,
		"STAGE_DATABASE_URL="+b.harness.DSN(harness.BotLogin), "STAGE_REQUISITES_KEY="+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)))
	said, err := stage.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "maxmemory-policy is allkeys-lru: set it to noeviction")

	require.NoError(t, r.Client.ConfigSet(ctx, "maxmemory-policy", "noeviction").Err())
	b.start("bot", "LOCAL_REDIS_URL="+r.URL)
	taps := b.crowd(t, shortCrowd)
	guesser := b.guesser(t)
	require.NoError(t, r.Client.ConfigSet(ctx, "maxmemory", "1").Err())
	require.ErrorContains(t, r.Client.Set(ctx, "k", "v", 0).Err(), "OOM")
	all(t, taps)
	b.ask(t, guesser, 8)
	require.Equal(t, paymentTries, b.invoices(t, guesser))
	b.until("all are paid", "select count(*) = $1 from billing.purchase where status = 'paid'", shortCrowd)
}

// address is where a bot serves its metrics.
func (p *process) address(b *bundle) (address string) {
	b.Helper()
	b.eventually("it listens", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		lines := bufio.NewScanner(strings.NewReader(p.log.String()))
		for lines.Scan() {
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				address = line.Address
			}
		}
		return address != ""
	})
	return address
}

// metric is the sum of a metric over its labels.
func metric(t *testing.T, address, name string) (sum float64) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		label, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if label == name || strings.HasPrefix(label, name+"{") {
			n, err := strconv.ParseFloat(value, 64)
			require.NoError(t, err)
			sum += n
		}
	}
	return sum
}
