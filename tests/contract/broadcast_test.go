package contract_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func broadcastFunctions() []function {
	texts := []bad{refuse("22023", "", strings.Repeat("x", 4097), long), accept(control, strings.Repeat("ы", 4096))}
	written := func(last string, of ...bad) map[string][]bad {
		return map[string][]bad{"p_title": {refuse("22023", nil, "", strings.Repeat("t", 129), long), accept(control)},
			"p_kind":    {refuse("22023", nil, "", "news", long)},
			"p_segment": {refuse("22023", nil, "", "nobody", long)},
			"p_text_a":  append(texts, refuse("22023", nil)), "p_text_b": append(texts, accept(nil)), last: of}
	}
	id := map[string][]bad{"p_broadcast_id": {refuse("22023", nil), refuse("BR001", 0, -1, math.MaxInt64)}}
	attempt := map[string][]bad{"p_broadcast_id": {refuse("22023", nil), accept(0, -1, math.MaxInt64)},
		"p_telegram_id": {refuse("22023", nil), accept(0, -1, nobody, math.MaxInt64)}, "p_is_unreachable": {refuse("22023", nil)}}
	release := map[string][]bad{"p_broadcast_id": attempt["p_broadcast_id"], "p_telegram_id": attempt["p_telegram_id"],
		"p_wait": {refuse("22023", nil, "-1 second", "25 hours"), accept("0", "1 day")}}
	move := func(name, switche string, of func(w world) any) function {
		return function{name: name, allowed: "admin", switche: switche, returns: movedColumns,
			args: func(w world) A { return moved(of(w)) }, bad: id}
	}
	return append(broadcastReaders(), []function{
		{name: "broadcast.prepare", allowed: "admin", switche: "admin_actions",
			returns: writtenColumns, args: func(world) A { return news("k") },
			bad: written("p_starts_at", refuse("22023", "infinity", "-infinity"), accept(nil, "2020-01-01"))},
		{name: "broadcast.compose", allowed: "admin", switche: "admin_actions",
			returns: writtenColumns, args: func(world) A { return offered("k", "trial") },
			bad: written("p_offer", refuse("22023", "", "money", long), accept(nil))},
		move("broadcast.start", "broadcasts", func(w world) any { return w.draft }),
		{name: "broadcast.launch", allowed: "admin", switche: "broadcasts", returns: movedColumns + ", starts_at timestamptz",
			args: func(w world) A { return launched(w.draft, nil) },
			bad: map[string][]bad{"p_broadcast_id": id["p_broadcast_id"],
				"p_starts_at": {refuse("22023", "infinity", "-infinity", "3000-01-01"), accept("2020-01-01")}, "p_moved_at": {refuse("BR002", "2020-01-01")}}},
		move("broadcast.pause", "admin_actions", func(w world) any { return w.running }),
		move("broadcast.cancel", "admin_actions", func(w world) any { return w.running }),
		{name: "broadcast.claim", allowed: "worker", switche: "broadcasts",
			args: func(world) A { return desk.ClaimArgs("w", 10) },
			returns: "broadcast_id bigint, telegram_id bigint, variant text, message text, lease_token uuid, " +
				"language text, offer text"},
		{name: "broadcast.sent", allowed: "worker", returns: "telegram_id bigint, is_recorded boolean",
			args: func(w world) A { return reached(w.recipient) }, bad: attempt},
		{name: "broadcast.failed", allowed: "worker",
			returns: "telegram_id bigint, is_recorded boolean, next_attempt_at timestamptz",
			args:    func(w world) A { return unreached(w.recipient, false) }, bad: attempt},
		{name: "broadcast.release", allowed: "worker",
			returns: "telegram_id bigint, is_recorded boolean, next_attempt_at timestamptz",
			args:    func(w world) A { return reached(w.recipient).With("p_error", "later").With("p_wait", "5 seconds") }, bad: release},
	}...)
}

// news is a broadcast to everybody.
func news(key string) A {
	return A{"p_admin_id": boss, "p_title": "News", "p_kind": "info", "p_segment": "all", "p_text_a": "first text",
		"p_text_b": nil, "p_starts_at": nil, "p_idempotency_key": key}
}

func moved(id any) A { return A{"p_admin_id": boss, "p_broadcast_id": id} }

func reached(recipient Row) A {
	return A{"p_broadcast_id": recipient["broadcast_id"], "p_telegram_id": recipient["telegram_id"],
		"p_lease_token": recipient["lease_token"]}
}

func unreached(recipient Row, isUnreachable bool) A {
	return reached(recipient).With("p_error", "no").With("p_is_unreachable", isUnreachable)
}

// broadcast starts one for a segment.
func (b *bundle) broadcast(key, segment string) any {
	b.Helper()
	id := b.One("broadcast.prepare", news(key).With("p_segment", segment))["broadcast_id"]
	b.One("broadcast.start", moved(id))
	return id
}

// crowd registers people with the ids from 2001 on.
func (b *bundle) crowd(n int) {
	b.Helper()
	for i := range n {
		b.User(2001 + i)
	}
}

// write is whom a worker may write to now, in its order.
func (b *bundle) write(limit int) []Row {
	b.Helper()
	return b.All("broadcast.claim", desk.ClaimArgs("w", limit))
}

func people(rows []Row) []any {
	ids := []any{}
	for _, row := range rows {
		ids = append(ids, row["telegram_id"])
	}
	return ids
}

func (b *bundle) progress(id any) Row {
	b.Helper()
	return b.Query(`select status, sent, sent_a, sent_b, unreachable, failed, unknown, unfinished
		from broadcast.progress where broadcast_id = $1`, id)[0]
}

func TestBroadcastReachesEverybodyOnce(t *testing.T) {
	b := setup(t)
	b.crowd(20)
	prepared := b.One("broadcast.prepare", news("1"))
	require.Equal(t, 23, prepared["recipients"], "boss, anna and bert, too")
	require.Empty(t, b.write(10), "a draft is not sent")
	id := prepared["broadcast_id"]
	started := b.One("broadcast.start", moved(id))
	require.Equal(t, Row{"broadcast_id": id, "status": "running", "is_replay": false, "moved_by": boss, "moved_at": started["moved_at"]}, started)
	require.Equal(t, true, b.One("broadcast.start", moved(id))["is_replay"])

	seen := map[any]int{}
	for rows := b.write(7); len(rows) > 0; rows = b.write(7) {
		for _, row := range rows {
			seen[row["telegram_id"]]++
			require.Equal(t, Row{"telegram_id": row["telegram_id"], "is_recorded": true}, b.One("broadcast.sent", reached(row)))
			require.Equal(t, true, b.One("broadcast.sent", reached(row))["is_recorded"], "again")
			require.Equal(t, "first text", row["message"])
		}
	}
	require.Len(t, seen, 23)
	for who, times := range seen {
		require.Equal(t, 1, times, who)
	}
	require.Equal(t, Row{"status": "done", "sent": 23, "sent_a": 23, "sent_b": 0, "unreachable": 0, "failed": 0, "unknown": 0,
		"unfinished": 0}, b.progress(id))
	require.Equal(t, []string{"broadcast_done"}, b.messages(boss))
	b.crowd(25)
	require.Empty(t, b.write(10), "who comes after the end gets nothing")
	for _, function := range []string{"broadcast.start", "broadcast.pause", "broadcast.cancel"} {
		b.Refused("BR002", function, moved(id))
	}
	require.Equal(t, []string{"broadcast_done"}, b.messages(boss), "told once")
}

func TestBroadcastSegments(t *testing.T) {
	b := setup(t)
	b.crowd(4)
	// anna buys, bert's time is over, 2001 has a trial, 2002 is blocked, 2003 has blocked the bot, 2004 and boss have nothing.
	b.Credit(bert, 100000)
	b.Buy(bert, "basic", 1, "b")
	b.owner.Later("40 days")
	b.One("subscription.expire_due", A{"p_epoch": nil, "p_limit": 100})
	b.Buy(anna, "basic", 1, "a")
	b.One("subscription.start_trial", A{"p_telegram_id": 2001, "p_idempotency_key": "t"})
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": 2002, "p_reason": "spam"})
	b.One("account.set_reachable", A{"p_telegram_id": 2003, "p_is_reachable": false})
	for segment, wanted := range map[string][]any{
		"all":             {boss, anna, bert, 2001, 2004},
		"active":          {anna, 2001},
		"expired":         {bert},
		"no_subscription": {boss, bert, 2004},
		"never_bought":    {boss, 2001, 2004},
	} {
		prepared := b.One("broadcast.prepare", news(segment).With("p_segment", segment))
		require.Equal(t, len(wanted), prepared["recipients"], segment)
		b.One("broadcast.start", moved(prepared["broadcast_id"]))
		require.ElementsMatch(t, wanted, people(b.write(100)), segment)
		b.One("broadcast.pause", moved(prepared["broadcast_id"]))
	}
}

func TestBroadcastVariants(t *testing.T) {
	b := setup(t)
	b.crowd(60)
	id := b.One("broadcast.prepare", news("ab").With("p_text_b", "second text"))["broadcast_id"]
	b.One("broadcast.start", moved(id))
	texts := map[any]int{}
	for _, row := range b.write(100) {
		texts[fmt.Sprint(row["variant"], " ", row["message"])]++
		b.One("broadcast.sent", reached(row))
	}
	require.Len(t, texts, 2, "of 63 people, all heads is one in 2^62")
	p := b.progress(id)
	require.Equal(t, texts["a first text"], p["sent_a"])
	require.Equal(t, texts["b second text"], p["sent_b"])
	require.Equal(t, 63, p["sent"])
}

// TestBroadcastIsNeverRepeated: an attempt that nobody ended may have arrived.
func TestBroadcastIsNeverRepeated(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.broadcast("1", "all")
	lost := b.write(1)[0]
	require.Equal(t, false, b.One("broadcast.sent", reached(lost).With("p_lease_token", unknown))["is_recorded"])
	require.Equal(t, Row{"outcome": "sending"}, b.owner.Query("select outcome::text from broadcast.recipient")[0], "in hand still")
	b.owner.At(at.Add(29 * time.Second))
	for _, row := range b.write(10) {
		b.One("broadcast.sent", reached(row))
	}
	require.Empty(t, b.write(10))
	require.Equal(t, "running", b.progress(id)["status"], "one is still in hand")
	b.owner.At(at.Add(30 * time.Second))
	require.Empty(t, b.write(10))
	require.Equal(t, Row{"status": "done", "sent": 2, "sent_a": 2, "sent_b": 0, "unreachable": 0, "failed": 0, "unknown": 1,
		"unfinished": 0}, b.progress(id))

	require.Equal(t, Row{"telegram_id": lost["telegram_id"], "is_recorded": true, "next_attempt_at": nil},
		b.One("broadcast.failed", unreached(lost, false)), "late news")
	require.Equal(t, 1, b.progress(id)["failed"])
	require.Equal(t, false, b.One("broadcast.sent", reached(lost).With("p_lease_token", unknown))["is_recorded"])
	require.Equal(t, false, b.One("broadcast.failed", unreached(lost, true).With("p_lease_token", unknown))["is_recorded"])
	require.Equal(t, true, b.owner.Value("select bool_and(is_reachable) from account.account"), "said by a stranger")
}

func TestBroadcastFailures(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.broadcast("1", "all")
	rows := b.write(10)
	require.Len(t, rows, 3)
	gone, later, fine := rows[0], rows[1], rows[2]
	b.One("broadcast.sent", reached(fine))
	b.One("broadcast.failed", unreached(gone, true))
	require.Equal(t, false, b.owner.Value("select is_reachable from account.account where telegram_id = $1", gone["telegram_id"]))

	wait := time.Second
	for attempt := range 9 {
		wait = min(2*wait, 600*time.Second)
		failed := b.One("broadcast.failed", unreached(later, false))
		require.WithinDuration(t, at.Add(wait), failed["next_attempt_at"].(time.Time), 0, attempt)
		require.Equal(t, failed, b.One("broadcast.failed", unreached(later, false)), "a repeat moves nothing")
		at = at.Add(wait)
		b.owner.At(at.Add(-time.Millisecond))
		require.Empty(t, b.write(10))
		b.owner.At(at)
		later = b.write(10)[0]
	}
	require.Nil(t, b.One("broadcast.failed", unreached(later, false))["next_attempt_at"], "the tenth was the last")
	require.Empty(t, b.write(10))
	require.Equal(t, Row{"status": "done", "sent": 1, "sent_a": 1, "sent_b": 0, "unreachable": 1, "failed": 1, "unknown": 0,
		"unfinished": 0}, b.progress(id))
}

// TestBroadcastRelease: Telegram may say "later" as often as it likes.
func TestBroadcastRelease(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.broadcast("1", "all")
	first := b.write(1)[0]
	later := func(row Row) A { return reached(row).With("p_error", "later").With("p_wait", "5 seconds") }
	for range 20 {
		released := b.One("broadcast.release", later(first))
		require.Equal(t, Row{"telegram_id": first["telegram_id"], "is_recorded": true, "next_attempt_at": at.Add(5 * time.Second)}, released)
		require.Equal(t, released, b.One("broadcast.release", later(first)), "a repeat moves nothing")
		at = at.Add(5 * time.Second)
		b.owner.At(at)
		first = b.write(1)[0]
	}
	require.Equal(t, false, b.One("broadcast.release", later(first).With("p_lease_token", unknown))["is_recorded"])
	require.NotNil(t, b.One("broadcast.failed", unreached(first, false))["next_attempt_at"], "that was the first attempt that counts")
	require.Equal(t, "running", b.progress(id)["status"])
}

func TestBroadcastPauseAndCancel(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.One("broadcast.prepare", news("1").With("p_starts_at", at.Add(time.Hour)))["broadcast_id"]
	b.Refused("BR002", "broadcast.pause", moved(id))
	b.One("broadcast.start", moved(id))
	require.Empty(t, b.write(10), "not before its time")
	b.owner.At(at.Add(time.Hour))
	first, second := b.write(1)[0], b.write(1)[0]
	require.Equal(t, "paused", b.One("broadcast.pause", moved(id))["status"])
	require.Empty(t, b.write(10))
	b.One("broadcast.sent", reached(first))
	require.NotNil(t, b.One("broadcast.failed", unreached(second, false))["next_attempt_at"], "it will go on")

	require.Equal(t, Row{"broadcast_id": id, "status": "cancelled", "is_replay": false, "moved_by": boss, "moved_at": at.Add(time.Hour)},
		b.One("broadcast.cancel", moved(id)))
	require.Equal(t, true, b.One("broadcast.cancel", moved(id))["is_replay"])
	b.Refused("BR002", "broadcast.start", moved(id))
	b.owner.At(at.Add(2 * time.Hour))
	require.Empty(t, b.write(10))
	require.Equal(t, Row{"status": "cancelled", "sent": 1, "sent_a": 1, "sent_b": 0, "unreachable": 0, "failed": 1, "unknown": 0,
		"unfinished": 0}, b.progress(id))
	require.Equal(t, []Row{{"action": "broadcast.cancel"}, {"action": "broadcast.pause"}, {"action": "broadcast.prepare"},
		{"action": "broadcast.start"}}, b.Query(
		"select action from audit.event where action like 'broadcast.%' and subject_id = $1 order by 1", fmt.Sprint(id)))

	b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "broadcasts", "p_is_on": false})
	b.Refused("OP003", "broadcast.start", moved(b.One("broadcast.prepare", news("2"))["broadcast_id"]))
	b.Refused("OP003", "broadcast.claim", desk.ClaimArgs("w", 1))
}

func TestBroadcastKey(t *testing.T) {
	b := setup(t)
	first := b.One("broadcast.prepare", news("1"))
	require.Equal(t, Row{"broadcast_id": first["broadcast_id"], "recipients": 3, "is_replay": true, "is_estimate": false},
		b.One("broadcast.prepare", news("1")))
	for _, other := range []A{{"p_title": "Olds"}, {"p_kind": "promo"}, {"p_segment": "active"}, {"p_text_a": "other"},
		{"p_text_b": "two"}, {"p_starts_at": "2027-01-01"}} {
		args := news("1")
		for name, value := range other {
			args = args.With(name, value)
		}
		b.Refused("ID001", "broadcast.prepare", args)
	}
}
