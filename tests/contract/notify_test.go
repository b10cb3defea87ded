package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func notifyFunctions() []function {
	return []function{
		{name: "notify.claim", allowed: "worker", args: func(world) A { return desk.ClaimArgs("w", 10) },
			returns: "message_id bigint, telegram_id bigint, template text, arguments jsonb, lease_token uuid, " +
				"language text, correlation_id text"},
		{name: "notify.sent", allowed: "worker", returns: "message_id bigint, is_recorded boolean",
			args: func(w world) A { return told(w.message) },
			bad:  map[string][]bad{"p_message_id": {refuse("22023", nil), accept(-1, 0, 1<<62)}}},
		{name: "notify.failed", allowed: "worker",
			returns: "message_id bigint, is_recorded boolean, next_attempt_at timestamptz",
			args:    func(w world) A { return untold(w.message, false) },
			bad: map[string][]bad{"p_message_id": {refuse("22023", nil), accept(-1, 0, 1<<62)},
				"p_is_unreachable": {refuse("22023", nil)}}},
		{name: "notify.release", allowed: "worker",
			returns: "message_id bigint, is_recorded boolean, next_attempt_at timestamptz",
			args:    func(w world) A { return postponed(w.message, "1 minute") },
			bad: map[string][]bad{"p_message_id": {refuse("22023", nil), accept(-1, 0, 1<<62)},
				"p_wait": {refuse("22023", nil, "-1 second", "25 hours"), accept("0", "1 day")}}},
		due("notify.enqueue_due", "enqueued integer"),
	}
}

func told(message Row) A {
	return A{"p_message_id": message["message_id"], "p_lease_token": message["lease_token"]}
}

func untold(message Row, isUnreachable bool) A {
	return told(message).With("p_error", "no").With("p_is_unreachable", isUnreachable)
}

func postponed(message Row, wait string) A {
	return told(message).With("p_error", "told to wait").With("p_wait", wait)
}

// claim leases messages.
func (b *bundle) claim(limit int) []Row {
	b.Helper()
	return b.All("notify.claim", desk.ClaimArgs("w", limit))
}

// deliver is the templates that a worker sends, in its order, until nothing is left.
func (b *bundle) deliver() []string {
	b.Helper()
	names := []string{}
	for rows := b.claim(10); len(rows) > 0; rows = b.claim(10) {
		for _, row := range rows {
			names = append(names, fmt.Sprintf("%v %v", row["telegram_id"], row["template"]))
			require.Equal(b, Row{"message_id": row["message_id"], "is_recorded": true}, b.One("notify.sent", told(row)))
		}
	}
	return names
}

// outcome is how a message ended.
func (b *bundle) outcome(message Row) any {
	b.Helper()
	return b.owner.Value("select outcome from outbox.task where task_id = $1", message["message_id"])
}

func TestMessageArguments(t *testing.T) {
	b := setup(t)
	paid := b.Buy(anna, "basic", 3, "1")["purchase_id"]
	b.One("account.set_language", A{"p_telegram_id": anna, "p_language": "en"})
	ends := b.subscription(anna)["expires_at"].(time.Time)
	message := b.claim(1)[0]
	arguments := message["arguments"].(map[string]any)
	at, err := time.Parse(time.RFC3339, arguments["expires_at"].(string))
	require.NoError(t, err)
	require.True(t, ends.Equal(at))
	delete(arguments, "expires_at")
	require.Equal(t, Row{"message_id": message["message_id"], "telegram_id": anna, "template": "payment_applied",
		"lease_token": message["lease_token"], "language": "en", "correlation_id": nil,
		"arguments": map[string]any{"purchase_id": paid, "price_kopecks": 39900.0, "tariff": "basic", "months": 3.0,
			"available_kopecks": 60100.0}}, message)
	b.One("notify.sent", told(message))

	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	message = b.claim(1)[0]
	require.Equal(t, "key_ready", message["template"])
	require.Equal(t, "vless://a", message["arguments"].(map[string]any)["key_uri"])
	require.NotContains(t, b.owner.Value("select x::text from outbox.task x where task_id = $1", message["message_id"]),
		"vless", "no key lies in the outbox")
	b.One("notify.sent", told(message))

	b.Settle("c", b.Topup(anna, 25000, "t"), 25000)
	arguments = b.claim(1)[0]["arguments"].(map[string]any)
	require.Equal(t, 25000.0, arguments["amount_kopecks"])
	require.Equal(t, "topup", arguments["reason"])
	require.Equal(t, 85100.0, arguments["available_kopecks"])
}

func TestMessagesKeepTheirOrderPerUser(t *testing.T) {
	b := setup(t)
	b.Credit(bert, 50000)
	b.Buy(anna, "basic", 1, "1")
	b.Buy(bert, "basic", 1, "1")
	b.Settle("c", b.Topup(anna, 25000, "t"), 25000)
	require.Len(t, b.claim(10), 2, "one per user at a time")
	require.Empty(t, b.claim(10))
	b.owner.Later("1 minute")
	require.Equal(t, []string{"1001 payment_credited"}, b.deliver(), "the first two are lost")
	b.owner.Later("2 minutes")
	b.Settle("c2", b.Topup(anna, 25000, "t2"), 25000)
	b.Buy(anna, "basic", 1, "2")
	require.Equal(t, []string{"1001 payment_credited", "1001 payment_applied"}, b.deliver())
}

func TestMessageSentOnce(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	message := b.claim(1)[0]
	for range 2 {
		require.Equal(t, Row{"message_id": message["message_id"], "is_recorded": true}, b.One("notify.sent", told(message)))
	}
	require.Equal(t, "done", b.outcome(message))
	require.Equal(t, Row{"message_id": message["message_id"], "is_recorded": true, "next_attempt_at": nil},
		b.One("notify.failed", untold(message, true)), "what is done stays done")
	require.Equal(t, "done", b.outcome(message))
	require.Equal(t, Row{"message_id": 1 << 60, "is_recorded": false},
		b.One("notify.sent", told(message).With("p_message_id", 1<<60)))
	require.Equal(t, false, b.One("notify.sent", told(message).With("p_lease_token", unknown))["is_recorded"])
}

func TestUnknownOutcomeLosesMessagesButNotKeys(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	receipt := b.claim(1)[0]
	b.owner.Later("30 seconds")
	require.Empty(t, b.claim(1), "it may have been sent: never twice")
	require.Equal(t, "lost", b.outcome(receipt))
	require.Equal(t, true, b.One("notify.sent", told(receipt))["is_recorded"])

	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	key := b.claim(1)[0]
	require.Equal(t, "key_ready", key["template"])
	b.owner.Later("1 minute")
	again := b.claim(1)[0]
	require.Equal(t, key["message_id"], again["message_id"], "keys always arrive, once more at worst")
	require.Equal(t, false, b.One("notify.sent", told(key))["is_recorded"])
	require.Equal(t, Row{"message_id": key["message_id"], "is_recorded": false, "next_attempt_at": nil},
		b.One("notify.failed", untold(key, true)), "somebody else is sending it")
	require.Equal(t, true, b.One("notify.sent", told(again))["is_recorded"])
	require.Equal(t, "done", b.outcome(again))
}

func TestManyLostMessagesAreNotSentAgain(t *testing.T) {
	b := setup(t)
	b.owner.Query(`insert into account.account (telegram_id, language, referral_code, registered_at)
		select g, 'ru', g::text, core.now() from generate_series(5000, 5249) g`)
	b.owner.Query("insert into wallet.wallet (telegram_id) select g from generate_series(5000, 5249) g")
	b.owner.Query(`insert into outbox.task (telegram_id, kind, name, due_at, created_at)
		select g, 'message', 'referral_joined', core.now(), core.now() from generate_series(5000, 5249) g`)
	require.Len(t, b.claim(1000), 250)
	b.owner.Later("1 minute")
	for range 4 {
		again := len(b.claim(1000))
		require.Zero(t, again)
	}
	require.Equal(t, 250, b.count("outbox.task where outcome = 'lost'"))
}

func TestUnreachable(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	message := b.claim(1)[0]
	require.Equal(t, Row{"message_id": message["message_id"], "is_recorded": true, "next_attempt_at": nil},
		b.One("notify.failed", untold(message, true)))
	require.Equal(t, "unreachable", b.outcome(message))
	require.Equal(t, false, b.owner.Value("select is_reachable from account.account where telegram_id = $1", anna))
	b.owner.Later("1 day")
	require.Empty(t, b.claim(1), "flagged once, never tried again")
}

func TestFailedMessageIsTriedAgain(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	b.Buy(anna, "basic", 1, "2")
	var message Row
	for attempt := 1; attempt <= 10; attempt++ {
		rows := b.claim(10)
		require.Len(t, rows, 1, "later messages wait their turn")
		if message != nil {
			require.Equal(t, message["message_id"], rows[0]["message_id"])
		}
		message = rows[0]
		failed := b.One("notify.failed", untold(message, false))
		if attempt == 10 {
			require.Equal(t, Row{"message_id": message["message_id"], "is_recorded": true, "next_attempt_at": nil}, failed)
			break
		}
		at = at.Add(min(time.Duration(1<<attempt)*time.Second, 10*time.Minute))
		require.Equal(t, Row{"message_id": message["message_id"], "is_recorded": true, "next_attempt_at": at}, failed)
		require.Equal(t, failed, b.One("notify.failed", untold(message, false)), "a repeat after a lost answer")
		require.Empty(t, b.claim(10))
		b.owner.At(at)
	}
	require.Equal(t, "failed", b.outcome(message))
	require.Equal(t, []Row{{"job_name": "notify.send", "subject": fmt.Sprintf("message:%v", message["message_id"])}},
		b.Query("select job_name, subject from ops.dead_letter"))
	require.Equal(t, []string{"1001 payment_applied"}, b.deliver(), "then the next has its turn")
}

// TestMessageGivenBackCostsNoAttempt: being told to wait is no fault of a message's, however often it happens.
func TestMessageGivenBackCostsNoAttempt(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	var message Row
	for i := range 15 { // more often than the attempts of a message
		message = b.claim(1)[0]
		first := b.One("notify.release", postponed(message, "1 minute"))
		require.Equal(t, true, first["is_recorded"])
		require.Equal(t, first, b.One("notify.release", postponed(message, "2 minutes")), "a repeat answers as before")
		require.Empty(t, b.claim(1), "not before its time")
		b.owner.Later(fmt.Sprintf("%d minutes", i+1))
	}
	message = b.claim(1)[0]
	require.Equal(t, 1, b.owner.Value("select attempt::int from outbox.task where task_id = $1", message["message_id"]))
	b.One("notify.sent", told(message))
	after := b.One("notify.release", postponed(message, "0"))
	require.Equal(t, Row{"message_id": message["message_id"], "is_recorded": true, "next_attempt_at": nil}, after)
	require.Equal(t, "done", b.outcome(message), "what is done stays done")
	require.Equal(t, false, b.One("notify.release", postponed(message, "0").With("p_lease_token", unknown))["is_recorded"], "the lease is another's")
}

// TestNobodyWritesToWhoIsGone: what is due to somebody who has blocked the bot is closed unsent, but for a key. Once they
// are back, what is due from then on is given out again.
func TestNobodyWritesToWhoIsGone(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	b.One("notify.failed", untold(b.claim(1)[0], true))
	b.Settle("c", b.Topup(anna, 25000, "t"), 25000)
	require.Empty(t, b.claim(10))
	require.Equal(t, []string{"unreachable", "unreachable"}, b.outcomes(anna))

	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	require.Equal(t, []string{"1001 key_ready"}, b.deliver())
	b.One("account.set_reachable", A{"p_telegram_id": anna, "p_is_reachable": true})
	b.Settle("c2", b.Topup(anna, 25000, "t2"), 25000)
	require.Equal(t, []string{"1001 payment_credited"}, b.deliver())
}

// outcomes are how a user's messages ended, oldest first.
func (b *bundle) outcomes(id int) []string {
	b.Helper()
	ended := []string{}
	for _, row := range b.owner.Query(
		"select outcome from outbox.task where telegram_id = $1 and kind = 'message' order by task_id", id) {
		ended = append(ended, row["outcome"].(string))
	}
	return ended
}
