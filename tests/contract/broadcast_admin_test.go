package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	movedColumns   = "broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamptz"
	writtenColumns = "broadcast_id bigint, recipients bigint, is_replay boolean, is_estimate boolean"
)

// broadcastReaders is what screens of admins, and the people's button, are made of.
func broadcastReaders() []function {
	return []function{
		{name: "broadcast.list", allowed: "admin", reads: true,
			returns: "broadcast_id bigint, title text, kind text, segment text, is_ab boolean, status text, " +
				"starts_at timestamptz, is_begun boolean, sent bigint",
			args: func(world) A { return listed("draft", nil, 10) },
			bad: map[string][]bad{"p_state": {refuse("22023", nil, "", "done", long)}, "p_before_id": {accept(nil, 0, -1)},
				"p_limit": {refuse("22023", nil, 0, -1, 101), accept(100)}}},
		{name: "broadcast.show", allowed: "admin", reads: true,
			returns: "broadcast_id bigint, title text, kind text, segment text, offer text, text_a text, text_b text, " +
				"status text, prepared_by bigint, prepared_by_name text, prepared_at timestamptz, " +
				"starts_at timestamptz, is_begun boolean, ended_at timestamptz, moved_by bigint, moved_by_name text, " +
				"moved_at timestamptz, expected_people bigint, is_estimate boolean, sent_a bigint, sent_b bigint, " +
				"pressed_a bigint, pressed_b bigint, unreachable bigint, failed bigint, unknown bigint, unfinished bigint, " +
				"left_people bigint, people_per_minute integer, ends_at timestamptz",
			args: func(w world) A { return moved(w.running) },
			bad:  map[string][]bad{"p_broadcast_id": {refuse("22023", nil), refuse("BR001", 0, -1)}}},
		{name: "broadcast.note_press", allowed: "bot", returns: "broadcast_id bigint, offer text",
			args: func(w world) A { return pressed(w.recipient["telegram_id"], w.recipient["broadcast_id"]) },
			bad: map[string][]bad{"p_telegram_id": {refuse("22023", nil, 0, -1, 1<<52), refuse("BR001", nobody)},
				"p_broadcast_id": {refuse("22023", nil), refuse("BR001", 0, -1)}}},
	}
}

// offered is a broadcast to everybody with a button.
func offered(key, offer string) A {
	return A{"p_admin_id": boss, "p_title": "News", "p_kind": "info", "p_segment": "all", "p_text_a": "first text",
		"p_text_b": nil, "p_offer": offer, "p_idempotency_key": key}
}

func listed(state string, before any, limit int) A {
	return A{"p_admin_id": boss, "p_state": state, "p_before_id": before, "p_limit": limit}
}

func launched(id, startsAt any) A {
	return moved(id).With("p_starts_at", startsAt).With("p_moved_at", nil)
}

func pressed(who, id any) A { return A{"p_telegram_id": who, "p_broadcast_id": id} }

func TestBroadcastOffers(t *testing.T) {
	b := setup(t)
	for kind, offer := range map[string]string{"info": "none", "promo": "buy", "maintenance": "status", "security": "key"} {
		id := b.One("broadcast.prepare", news(kind).With("p_kind", kind))["broadcast_id"]
		require.Equal(t, offer, b.One("broadcast.show", moved(id))["offer"])
		id = b.One("broadcast.compose", offered("c"+kind, "trial").With("p_kind", kind).With("p_offer", nil))["broadcast_id"]
		require.Equal(t, offer, b.One("broadcast.show", moved(id))["offer"])
	}
	first := b.One("broadcast.compose", offered("k", "trial"))
	require.Equal(t, true, b.One("broadcast.compose", offered("k", "trial"))["is_replay"])
	b.Refused("ID001", "broadcast.compose", offered("k", "buy"))
	b.Refused("ID001", "broadcast.compose", offered("k", "trial").With("p_text_b", "two"))
	at := b.owner.Value("select core.now() + interval '1 hour'")
	b.One("broadcast.launch", launched(first["broadcast_id"], at))
	require.Equal(t, true, b.One("broadcast.compose", offered("k", "trial"))["is_replay"], "launched meanwhile")
	paused := b.One("broadcast.pause", moved(first["broadcast_id"]))
	b.One("broadcast.launch", launched(first["broadcast_id"], nil).With("p_moved_at", paused["moved_at"]))
	require.Equal(t, "trial", b.write(1)[0]["offer"])
}

// TestBroadcastLaunch has two admins start one broadcast; the second sees who was first.
func TestBroadcastLaunch(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.User(second)
	b.One("account.grant_admin", A{"p_telegram_id": second, "p_note": "one more"})
	id := b.One("broadcast.compose", offered("k", "buy"))["broadcast_id"]
	launch := launched(id, at.Add(time.Hour))
	want := Row{"broadcast_id": id, "status": "running", "is_replay": false, "moved_by": boss, "moved_at": at, "starts_at": at.Add(time.Hour)}
	require.Equal(t, want, b.One("broadcast.launch", launch))
	b.owner.At(at.Add(time.Minute))
	want["is_replay"] = true
	require.Equal(t, want, b.One("broadcast.launch", launch.With("p_admin_id", second)))
	refusal := b.Refused("BR002", "broadcast.launch", launch.With("p_admin_id", second).With("p_starts_at", nil))
	require.Contains(t, refusal.Detail, fmt.Sprintf("moved by %d", boss))
	require.Equal(t, false, b.One("broadcast.show", moved(id))["is_begun"])
	require.Empty(t, b.write(10), "not before its time")

	require.Equal(t, second, b.One("broadcast.pause", moved(id).With("p_admin_id", second))["moved_by"])
	again := b.One("broadcast.pause", moved(id))
	require.Equal(t, Row{"broadcast_id": id, "status": "paused", "is_replay": true, "moved_by": second, "moved_at": at.Add(time.Minute)}, again)
	b.Refused("BR002", "broadcast.launch", launch) // decided before the pause
	require.Nil(t, b.One("broadcast.launch", launched(id, nil).With("p_moved_at", again["moved_at"]))["starts_at"])
	require.Len(t, b.write(10), 4)
	shown := b.One("broadcast.show", moved(id))
	require.Equal(t, true, shown["is_begun"])
	require.Equal(t, 4, shown["expected_people"], "counted when it began")
	b.One("broadcast.cancel", moved(id).With("p_admin_id", second))
	require.Equal(t, second, b.One("broadcast.cancel", moved(id))["moved_by"])
	b.Refused("BR002", "broadcast.launch", launch)
	b.Refused("BR002", "broadcast.launch", launch.With("p_moved_at", b.owner.Value("select moved_at from broadcast.broadcast")))
	require.Equal(t, 4, b.owner.Value("select count(*) from audit.event where action ~ '^broadcast.(start|pause|cancel)' and subject_id = $1",
		fmt.Sprint(id)), "each once: start, pause, start, cancel")
}

func TestBroadcastList(t *testing.T) {
	b := setup(t)
	var ids []any
	for i := range 5 {
		ids = append(ids, b.One("broadcast.compose", offered(fmt.Sprint(i), "buy").With("p_title", fmt.Sprint("no. ", i)))["broadcast_id"])
	}
	b.One("broadcast.start", moved(ids[1]))
	b.One("broadcast.start", moved(ids[2]))
	b.One("broadcast.pause", moved(ids[2]))
	b.One("broadcast.cancel", moved(ids[3]))
	of := func(state string, before any, limit int) []any {
		found := []any{}
		for _, row := range b.All("broadcast.list", listed(state, before, limit)) {
			found = append(found, row["broadcast_id"])
		}
		return found
	}
	require.Equal(t, []any{ids[4], ids[0]}, of("draft", nil, 10))
	require.Equal(t, []any{ids[2], ids[1]}, of("running", nil, 10))
	require.Equal(t, []any{ids[3]}, of("over", nil, 10))
	require.Equal(t, []any{ids[4]}, of("draft", nil, 1))
	require.Equal(t, []any{ids[0]}, of("draft", ids[4], 1))
	for _, row := range b.write(10) {
		b.One("broadcast.sent", reached(row))
	}
	row := b.All("broadcast.list", listed("running", ids[2], 1))[0]
	require.Equal(t, Row{"broadcast_id": ids[1], "title": "no. 1", "kind": "info", "segment": "all", "is_ab": false, "status": "running",
		"starts_at": nil, "is_begun": true, "sent": 3}, row)
}

// TestBroadcastShow follows the figures of a card; the tally says what a count of the people would.
func TestBroadcastShow(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.owner.Query("update account.account set username = 'the_boss' where telegram_id = $1", boss)
	id := b.One("broadcast.compose", offered("k", "buy").With("p_text_b", "second text"))["broadcast_id"]
	b.crowd(97)
	shown := b.One("broadcast.show", moved(id))
	require.Equal(t, []any{100, false, 100, nil, nil}, []any{shown["expected_people"], shown["is_estimate"], shown["left_people"],
		shown["people_per_minute"], shown["ends_at"]}, "a draft's segment is counted now")
	require.Equal(t, []any{"the_boss", nil, "first text", "second text"}, []any{shown["prepared_by_name"], shown["moved_by_name"],
		shown["text_a"], shown["text_b"]})
	b.One("broadcast.launch", launched(id, nil))
	sides := map[any]int{}
	for i := range 40 { // one each half second
		b.owner.At(at.Add(time.Duration(i) * 500 * time.Millisecond))
		row := b.write(1)[0]
		switch {
		case i == 7:
			b.One("broadcast.failed", unreached(row, true))
		case i == 9:
			b.One("broadcast.failed", unreached(row, false)) // and gets it two seconds later
		case i == 10: // nobody says how it ended
		default:
			b.One("broadcast.sent", reached(row))
			b.One("broadcast.sent", reached(row))
			sides[row["variant"]]++
		}
		if i%5 == 0 {
			for range 2 {
				require.Equal(t, Row{"broadcast_id": id, "offer": "buy"}, b.One("broadcast.note_press", pressed(row["telegram_id"], id)))
			}
		}
	}
	shown = b.One("broadcast.show", moved(id))
	require.Equal(t, []any{sides["a"], sides["b"], 1, 0, 0}, []any{shown["sent_a"], shown["sent_b"], shown["unreachable"], shown["failed"],
		shown["unknown"]})
	require.Equal(t, 1, shown["unfinished"], "one is in hand")
	require.Equal(t, 8, shown["pressed_a"].(int)+shown["pressed_b"].(int), "each once")
	require.InDelta(t, 120, shown["people_per_minute"], 30)
	require.Equal(t, 100-38, shown["left_people"], "with the one in hand")
	ends := shown["ends_at"].(time.Time).Sub(at.Add(20 * time.Second))
	require.InDelta(t, (31 * time.Second).Seconds(), ends.Seconds(), 8)
	b.owner.At(at.Add(3 * time.Minute))
	b.write(1)
	shown = b.One("broadcast.show", moved(id))
	require.Equal(t, 1, shown["unknown"])
	require.Nil(t, shown["people_per_minute"], "nothing is sent")
	for rows := b.write(50); len(rows) > 0; rows = b.write(50) {
		for _, row := range rows {
			b.One("broadcast.sent", reached(row))
		}
	}
	require.Equal(t, b.owner.Query(`select count(*) filter (where outcome = 'sent' and variant = 'a') as sent_a,
			count(*) filter (where outcome = 'sent' and variant = 'b') as sent_b, count(*) filter (where outcome = 'unreachable') as unreachable,
			count(*) filter (where outcome = 'failed') as failed, count(*) filter (where pressed_at is not null and variant = 'a') as pressed_a,
			count(*) filter (where pressed_at is not null and variant = 'b') as pressed_b
			from broadcast.recipient where broadcast_id = $1`, id),
		b.owner.Query(`select sent_a, sent_b, unreachable, failed, pressed_a, pressed_b from broadcast.tally where broadcast_id = $1`, id))
	b.One("broadcast.cancel", moved(id))
	shown = b.One("broadcast.show", moved(id))
	require.Equal(t, 0, shown["left_people"])
	b.Refused("BR001", "broadcast.note_press", pressed(nobody, id))
}

// TestBroadcastWalksOnce: while somebody waits for another attempt, nobody else is looked for again and again.
func TestBroadcastWalksOnce(t *testing.T) {
	b := setup(t)
	id := b.broadcast("1", "all")
	rows := b.write(3)
	require.Len(t, rows, 3)
	reachedID := func() any {
		return b.owner.Value("select reached_id from broadcast.broadcast where broadcast_id = $1", id)
	}
	require.Equal(t, rows[2]["telegram_id"], reachedID())
	b.One("broadcast.failed", unreached(rows[0], false))
	require.Empty(t, b.write(1))
	require.EqualValues(t, int64(1<<63-1), reachedID(), "nobody is left")
	require.Empty(t, b.write(1))
	require.EqualValues(t, int64(1<<63-1), reachedID())
	b.owner.Later("1 minute")
	again := b.write(5)
	require.Equal(t, []any{rows[0]["telegram_id"]}, people(again))
	b.One("broadcast.sent", reached(again[0]))
}

// TestBroadcastSizeIsEstimated once there are many people: it costs no more then.
func TestBroadcastSizeIsEstimated(t *testing.T) {
	b := setup(t)
	const crowd = 60_000
	b.owner.Query(`insert into account.account (telegram_id, language, referral_code, registered_at, is_reachable)
		select 1000000 + u, 'en', 'crowd' || u, core.now(), u % 10 <> 0 from generate_series(1, $1::int) u`, crowd)
	b.owner.Query("insert into wallet.wallet (telegram_id) select 1000000 + u from generate_series(1, $1::int) u", crowd)
	b.owner.Query("analyze account.account")
	prepared := b.One("broadcast.prepare", news("k"))
	require.Equal(t, true, prepared["is_estimate"])
	require.InEpsilon(t, crowd*9/10, prepared["recipients"], 0.05)
	require.Equal(t, true, b.One("broadcast.show", moved(prepared["broadcast_id"]))["is_estimate"])
	none := b.One("broadcast.prepare", news("none").With("p_segment", "expired"))
	require.Equal(t, 0, none["recipients"])
	bought := b.One("broadcast.prepare", news("bought").With("p_segment", "never_bought"))
	require.InEpsilon(t, crowd*9/10, bought["recipients"], 0.05)
}
