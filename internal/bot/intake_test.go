package bot_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/config"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

func TestTelegramMisbehaves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	for _, fault := range []botapi.Fault{
		{Method: "getUpdates", Action: "error", Code: 502},
		{Method: "getUpdates", Action: "error", RetryAfter: 1},
		{Method: "getUpdates", Action: "error", Code: 409, Description: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"},
		{Method: "getUpdates", Action: "drop"},
		{Method: "sendMessage", Action: "error", RetryAfter: 1},
		{Method: "answerCallbackQuery", Action: "error", Code: 500},
		{Method: "editMessageText", Action: "drop"},
	} {
		t.Log(fault.Method, fault.Action, fault.Code, fault.RetryAfter)
		require.NoError(t, b.people.AddFault(b.ctx, fault))
		b.send(t, bob, "/profile")
		b.waitLast(t, bob, "Subscription: none")
		profile := b.sees(t, bob, "Subscription: none")
		history, ok := person.FindButton(profile, "History")
		require.True(t, ok)
		_, err := bob.Tap(b.ctx, person.Tap{MessageID: profile.MessageID, Data: history.CallbackData})
		require.NoError(t, err)
		b.waitLast(t, bob, "Nothing has happened here yet")
		require.NoError(t, b.people.ClearFaults(b.ctx))
	}
}

func TestALostAnswerMakesAtMostOneDuplicate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "sendMessage", Action: "drop", Count: 10}))
	b.send(t, bob, "/help")
	b.waitCount(t, 1, `select count(*)::int from inbox.update where finished_at is not null and payload->'message'->>'text' = '/help'`)
	require.NoError(t, b.people.ClearFaults(b.ctx))
	require.Equal(t, 2, strings.Count(b.chat(t, bob), "What this bot can do"))
}

func TestAnotherBotTakesOverPolling(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.startBot(t)
	first.stop()
	b.send(t, bob, "/help")
	b.sees(t, bob, "What this bot can do")
}

func TestADeadPollerIsFollowedWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, bot.PollLeaseTTL*3/2, 5*time.Second)
	b := setup(t)
	// As after kill -9: the lease is there, and nobody renews it.
	started := time.Now()
	_, err := b.db.DBA.Exec(b.ctx, `select from ops.acquire_lease(p_name => 'telegram.poll', p_holder => 'dead', p_ttl => $1)`, bot.PollLeaseTTL)
	require.NoError(t, err)
	b.startBot(t)
	bob := b.person(t, "Bob", "en")
	b.send(t, bob, "/start")
	b.sees(t, bob, "Choose your language")
	require.Greater(t, time.Since(started), bot.PollLeaseTTL, "nobody takes what is still held")
}

func TestStoppingLosesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.startBot(t, func(p *bot.Parts) { p.Hands = 2 })
	people := make([]*person.Person, 40)
	for i := range people {
		people[i] = b.started(t, fmt.Sprintf("P%d", i), "en")
	}
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "sendMessage", Action: "delay", DelayMS: 100, Count: 10}))
	for _, p := range people {
		b.send(t, p, "/help")
	}
	b.sees(t, people[0], "What this bot can do")
	first.stop()
	require.Zero(t, b.count(t, `select count(*)::int from inbox.update where finished_at is null and holder is not null`), "given back")
	b.startBot(t)
	for _, p := range people {
		b.sees(t, p, "What this bot can do")
		require.Equal(t, 1, strings.Count(b.chat(t, p), "What this bot can do"))
	}
}

// claimsUnderWay asks for the claims that stall, and for who holds them up.
const claimsUnderWay = `select count(*)::int from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
	where l.locktype = 'advisory' and l.classid = 0 and l.objid = 77`

// stallClaim makes the database take its time over the claim of the next word of somebody, whatever it is told. It gives what
// lets the claim come to its end.
func (b *bundle) stallClaim(t *testing.T, p *person.Person) (release func()) {
	t.Helper()
	b.waitHandled(t)
	_, err := b.db.Owner.Exec(b.ctx, `
		create function inbox.stall() returns trigger language plpgsql as $$
		begin
		  loop
		    begin
		      perform pg_advisory_xact_lock(77);
		      return new;
		    exception when query_canceled then -- goes on
		    end;
		  end loop;
		end $$;
		create trigger stall before update on inbox.update for each row when (new.holder is not null) execute function inbox.stall()`)
	require.NoError(t, err)
	gate, err := b.db.Owner.Begin(b.ctx)
	require.NoError(t, err)
	release = sync.OnceFunc(func() { _ = gate.Rollback(b.ctx) })
	t.Cleanup(release)
	_, err = gate.Exec(b.ctx, `select pg_advisory_xact_lock(77)`)
	require.NoError(t, err)
	b.send(t, p, "/help")
	b.waitCount(t, 1, claimsUnderWay+" and not l.granted")
	return release
}

// TestAClaimUnderWayAtTheStopIsGivenBack: the stop comes while the database is claiming an update for the bot.
func TestAClaimUnderWayAtTheStopIsGivenBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.startBot(t)
	bob := b.started(t, "Bob", "en")
	release := b.stallClaim(t, bob)
	stopped := make(chan struct{})
	go func() { defer close(stopped); first.stop() }()
	select {
	case <-stopped:
		t.Error("it stopped and had a claim under way")
	case <-time.After(time.Second):
	}
	release()
	<-stopped
	b.waitCount(t, 0, claimsUnderWay)
	require.Equal(t, 1, b.count(t, `select count(*)::int from inbox.update where finished_at is null and holder is null and attempt = 0`), "given back")
	_, err := b.db.Owner.Exec(b.ctx, `drop trigger stall on inbox.update`)
	require.NoError(t, err)
	b.startBot(t)
	b.sees(t, bob, "What this bot can do")
	require.Equal(t, 1, strings.Count(b.chat(t, bob), "What this bot can do"))
}

// TestAClaimThatDoesNotEndHoldsNoStopUp for longer than what is in hand may take.
func TestAClaimThatDoesNotEndHoldsNoStopUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.startBot(t)
	release := b.stallClaim(t, b.started(t, "Bob", "en"))
	told := time.Now()
	first.stop()
	require.Less(t, time.Since(told), bot.Grace)
	release()
	b.waitCount(t, 0, claimsUnderWay)
}

func TestWhatTheGraceDoesNotSufficeForIsGivenBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.startBot(t, func(p *bot.Parts) { p.Grace = 100 * time.Millisecond })
	bob := b.started(t, "Bob", "en")
	b.waitHandled(t)
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "sendMessage", Action: "delay", DelayMS: 120_000}))
	b.send(t, bob, "/help")
	b.waitCount(t, 1, `select count(*)::int from inbox.update where finished_at is null and holder is not null`)
	stopping := time.Now()
	first.stop()
	require.Less(t, time.Since(stopping), time.Minute, "it does not wait for Telegram's answer")
	require.NoError(t, b.people.ClearFaults(b.ctx)) // it may have been stopped before it asked
	require.Equal(t, 1, b.count(t, `select count(*)::int from inbox.update where finished_at is null and holder is null
		and attempt = 0 and last_error is null`), "given back as it was")
	b.startBot(t)
	b.sees(t, bob, "What this bot can do")
}

// TestWhatTheInboxCouldNotBeToldIsToldAgain: the database refuses to note what was handled. It is handled once all the same.
func TestWhatTheInboxCouldNotBeToldIsToldAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.waitHandled(t)
	_, err := b.db.Owner.Exec(b.ctx, `
		create function inbox.refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
		create trigger refuse before update on inbox.update for each row when (new.finished_at is not null) execute function inbox.refuse()`)
	require.NoError(t, err)
	b.send(t, bob, "/help")
	b.sees(t, bob, "What this bot can do")
	require.Eventually(t, func() bool { return strings.Contains(b.log.String(), "could not look into the inbox") }, patience, poll)
	_, err = b.db.Owner.Exec(b.ctx, `drop trigger refuse on inbox.update`)
	require.NoError(t, err)
	b.waitHandled(t)
	require.Zero(t, b.count(t, `select count(*)::int from inbox.update where attempt <> 1`), "handled once more")
	require.Equal(t, 1, strings.Count(b.chat(t, bob), "What this bot can do"))
}

func TestOneChatInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	want := []string{}
	for i := range 30 {
		command := []string{"/help", "/info", "/privacy"}[i%3]
		want = append(want, map[string]string{"/help": "What this bot can do", "/info": "VLESS", "/privacy": "What we keep"}[command])
		b.send(t, bob, command)
	}
	var got []botapi.ChatMessage
	_, err := bob.WaitChat(b.ctx, func(view botapi.ChatView) bool {
		got = nil
		for _, m := range view.Messages {
			if m.IsOutgoing && !strings.Contains(m.Text, "a fast VPN that nobody") {
				got = append(got, m)
			}
		}
		return len(got) >= len(want)
	})
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i := range want {
		require.Contains(t, got[i].Text, want[i], "message %d", i)
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const secret = "s3cret_-"
	var handler atomic.Pointer[http.Handler]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := handler.Load(); h != nil {
			(*h).ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	early := b.person(t, "Early", "en")
	b.send(t, early, "/start") // waits at Telegram for a bot
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "setWebhook", Action: botapi.FaultError, Code: http.StatusBadGateway, Count: 1}))
	p := b.startBotWith(t, func(made *bot.Bot) bot.Intake {
		h := made.WebhookHandler(config.NewSecret(secret))
		handler.Store(&h)
		return made.Webhook(server.URL+"/webhook/telegram", config.NewSecret(secret))
	})
	b.sees(t, early, "Choose your language")
	bob := b.started(t, "Bob", "en")
	b.send(t, bob, "/help")
	b.sees(t, bob, "What this bot can do")

	post := func(header, body string) int {
		request, err := http.NewRequestWithContext(b.ctx, http.MethodPost, server.URL, strings.NewReader(body))
		require.NoError(t, err)
		if header != "" {
			request.Header.Set("X-Telegram-Bot-Api-Secret-Token", header)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		_ = response.Body.Close()
		return response.StatusCode
	}
	before := b.count(t, `select count(*)::int from inbox.update`)
	update := fmt.Sprintf(`{"update_id":77,"message":{"message_id":9,"date":1,"text":"/info","chat":{"id":%d,"type":"private"},"from":{"id":%d,"is_bot":false,"first_name":"Bob"}}}`, bob.ID, bob.ID)
	require.Equal(t, http.StatusUnauthorized, post("", update))
	require.Equal(t, http.StatusUnauthorized, post("wrong", update))
	require.Equal(t, http.StatusRequestEntityTooLarge, post(secret, strings.Repeat(" ", 2<<20)))
	require.Equal(t, http.StatusBadRequest, post(secret, `{"message":`))
	require.Equal(t, http.StatusBadRequest, post(secret, `{"message":{}}`))
	require.Equal(t, before, b.count(t, `select count(*)::int from inbox.update`))
	require.Equal(t, http.StatusOK, post(secret, update))
	require.Equal(t, http.StatusOK, post(secret, update))
	b.sees(t, bob, "VLESS + REALITY")
	require.Equal(t, before+1, b.count(t, `select count(*)::int from inbox.update`))

	p.db.Close()
	require.Equal(t, http.StatusServiceUnavailable, post(secret, strings.Replace(update, "77", "78", 1)), "Telegram is told to come again")
}

func TestPollingTakesALeftWebhookAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.person(t, "Bob", "en")
	response, err := http.Post(b.api.URL+"/bot"+token+"/setWebhook?url=http://127.0.0.1:1/x", "", nil)
	require.NoError(t, err)
	_ = response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	b.send(t, bob, "/start")
	b.startBot(t)
	b.sees(t, bob, "Choose your language")
}

// TestT1TheSameUpdateAtTwoBots posts each update to two bots, several times at once. It is stored once, handled once, answered
// once.
func TestT1TheSameUpdateAtTwoBots(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const secret, copies, updates = "s3cret_-", 4, 10
	idle := func(*bot.Bot) bot.Intake {
		return func(ctx context.Context) error { <-ctx.Done(); return nil }
	}
	polls := b.startBot(t)
	bob := b.started(t, "Bob", "en")
	polls.stop()
	var handlers []http.Handler
	for range 2 {
		handlers = append(handlers, b.startBotWith(t, idle).bot.WebhookHandler(config.NewSecret(secret)))
	}
	var posting sync.WaitGroup
	for i := range copies * updates {
		posting.Go(func() {
			body := fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":1,"text":"/privacy","chat":{"id":%d,"type":"private"},`+
				`"from":{"id":%d,"is_bot":false,"first_name":"Bob"}}}`, 77+i%updates, 900+i%updates, bob.ID, bob.ID)
			request := httptest.NewRequestWithContext(b.ctx, http.MethodPost, "/", strings.NewReader(body))
			request.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
			answer := httptest.NewRecorder()
			handlers[i/updates%2].ServeHTTP(answer, request)
			assert.Equal(t, http.StatusOK, answer.Code)
		})
	}
	posting.Wait()
	b.waitCount(t, updates, `select count(*)::int from inbox.update where update_id between 77 and 86 and finished_at is not null`)
	require.Equal(t, updates, b.count(t, `select sum(attempt)::int from inbox.update where update_id between 77 and 86`), "handed out once")
	require.Equal(t, updates, strings.Count(b.chat(t, bob), "What we keep"), "answered once")
}
