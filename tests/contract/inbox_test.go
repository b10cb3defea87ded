package contract_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func inboxFunctions() []function {
	id := []bad{refuse("22023", nil), accept(-1, 0, 1<<62)}
	return []function{
		{name: "inbox.receive", allowed: "bot", returns: "received integer",
			args: func(world) A {
				return A{"p_update_ids": []int{7, 8}, "p_chat_ids": []int{1, 1}, "p_payloads": []string{"{}", "{}"}}
			},
			bad: map[string][]bad{
				"p_update_ids": {refuse("22023", nil, []int{}, []int{1}, []*int{nil, nil}), accept([]int{-1, 0}, []int{5, 5})},
				"p_chat_ids":   {refuse("22023", nil, []int{}, []int{1}, []*int{nil, nil}), accept([]int{-1, 0})},
				"p_payloads": {refuse("22023", nil, []string{}, []string{"{}"}, []*string{nil, nil}),
					refuse("22P02", []string{"{", "{}"}), accept([]string{`{"k": "` + long + `"}`, `"\u0000"`})}}},
		{name: "inbox.claim", allowed: "bot", args: func(world) A { return desk.ClaimArgs("w", 10) },
			returns: "update_id bigint, chat_id bigint, payload text, attempt integer, lease_token uuid"},
		{name: "inbox.exchange", allowed: "bot",
			args: func(w world) A {
				return desk.ClaimArgs("w", 10).With("p_done_ids", []any{w.update["update_id"]}).With("p_done_tokens", []any{w.update["lease_token"]})
			},
			returns: "update_id bigint, chat_id bigint, payload text, attempt integer, lease_token uuid, language text, is_reachable boolean",
			bad: map[string][]bad{
				"p_done_ids":    {refuse("22023", nil, []int{}, []int{1, 2}, []*int{nil}), accept([]int{-1})},
				"p_done_tokens": {refuse("22023", nil, []string{}, []*string{nil})},
				"p_limit":       {refuse("22023", nil, -1), accept(0)}}},
		{name: "inbox.done", allowed: "bot", returns: "is_done boolean", args: func(w world) A { return leased(w.update) },
			bad: map[string][]bad{"p_update_id": id}},
		{name: "inbox.failed", allowed: "bot", returns: "will_retry boolean, next_attempt_at timestamptz",
			args: func(w world) A { return leased(w.update).With("p_error", "no") },
			bad:  map[string][]bad{"p_update_id": id}},
		{name: "inbox.give_back", allowed: "bot", returns: "given_back integer",
			args: func(world) A { return A{"p_holder": "w"} }},
	}
}

// receive stores updates: pairs of update and chat.
func (b *bundle) receive(pairs ...[2]int) any {
	b.Helper()
	updates, chats, payloads := []int{}, []int{}, []string{}
	for _, pair := range pairs {
		updates = append(updates, pair[0])
		chats = append(chats, pair[1])
		payloads = append(payloads, fmt.Sprintf(`{"update_id": %d}`, pair[0]))
	}
	return b.One("inbox.receive", A{"p_update_ids": updates, "p_chat_ids": chats, "p_payloads": payloads})["received"]
}

// take claims updates.
func (b *bundle) take(holder string, limit int) []Row {
	b.Helper()
	return b.All("inbox.claim", desk.ClaimArgs(holder, limit))
}

func ids(rows []Row) []any {
	list := []any{}
	for _, row := range rows {
		list = append(list, row["update_id"])
	}
	return list
}

func leased(update Row) A {
	return A{"p_update_id": update["update_id"], "p_lease_token": update["lease_token"]}
}

func TestReceive(t *testing.T) {
	b := setup(t)
	require.Equal(t, 3, b.receive([2]int{10, 1}, [2]int{11, 1}, [2]int{12, 2}))
	require.Equal(t, 1, b.receive([2]int{11, 1}, [2]int{12, 2}, [2]int{13, 2}, [2]int{13, 2}), "duplicates are left alone")
	require.Equal(t, 0, b.receive([2]int{10, 1}))
	b.One("inbox.receive", A{"p_update_ids": []int{10}, "p_chat_ids": []int{7}, "p_payloads": []string{`{"other": 1}`}})
	update := b.take("h", 1)[0]
	require.Equal(t, Row{"update_id": 10, "chat_id": 1, "payload": `{"update_id": 10}`, "attempt": 1,
		"lease_token": update["lease_token"]}, update, "the first stays, as it came")
	b.One("inbox.done", leased(update))
	require.Equal(t, 0, b.receive([2]int{10, 1}), "even when it has been handled")
}

func TestClaimInOrderPerChat(t *testing.T) {
	b := setup(t)
	b.receive([2]int{15, 1}, [2]int{11, 1}, [2]int{14, 2}, [2]int{12, 3}, [2]int{13, 2})
	require.Equal(t, []any{11, 12}, ids(b.take("h", 2)), "oldest first, one per chat")
	second := b.take("h2", 10)
	require.Equal(t, []any{13}, ids(second))
	require.Empty(t, b.take("h", 10))
	for range 2 {
		require.Equal(t, Row{"is_done": true}, b.One("inbox.done", leased(second[0])))
	}
	require.Equal(t, []any{14}, ids(b.take("h", 10)))

	b.receive([2]int{5, 3})
	require.Empty(t, b.take("h", 10), "an older update that comes late waits for the one in hand")
}

func TestClaimGivesTheOldestFirst(t *testing.T) {
	b := setup(t)
	want := []any{}
	for from := 400; from >= 0; from -= 100 { // the newest lie first in the table
		pairs := [][2]int{}
		for i := range 100 {
			pairs = append(pairs, [2]int{from + i, from + i})
		}
		b.receive(pairs...)
	}
	for i := range 500 {
		want = append(want, i)
	}
	ctx := context.Background()
	tx, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	d := b.On(t, tx)
	d.Query("set local enable_nestloop = off")  // a plan that happens to keep
	d.Query("set local enable_mergejoin = off") // the order proves nothing
	require.Equal(t, want, ids(d.All("inbox.claim", desk.ClaimArgs("h", 1000))))
}

func TestLeaseOfAnUpdate(t *testing.T) {
	b := setup(t)
	b.receive([2]int{10, 1}, [2]int{11, 1})
	slow := b.take("slow", 10)[0]
	b.owner.Later("30 seconds")
	quick := b.take("quick", 10)[0]
	require.Equal(t, Row{"update_id": 10, "attempt": 2}, pick(quick, "update_id", "attempt"))
	require.Equal(t, Row{"is_done": false}, b.One("inbox.done", leased(slow)))
	require.Equal(t, Row{"will_retry": false, "next_attempt_at": nil},
		b.One("inbox.failed", leased(slow).With("p_error", "no")))
	require.Equal(t, 0, b.count("inbox.update where finished_at is not null or last_error is not null"),
		"nothing is recorded")
	b.owner.Later("5 minutes")
	require.Equal(t, Row{"is_done": true}, b.One("inbox.done", leased(quick)), "late, but nobody else has it")
}

func TestGiveBack(t *testing.T) {
	b := setup(t)
	b.receive([2]int{10, 1}, [2]int{11, 2}, [2]int{12, 3}, [2]int{13, 4})
	mine := b.take("stopping", 3)
	b.take("other", 1)
	b.One("inbox.done", leased(mine[0]))
	require.Equal(t, Row{"given_back": 2}, b.One("inbox.give_back", A{"p_holder": "stopping"}))
	require.Equal(t, Row{"given_back": 0}, b.One("inbox.give_back", A{"p_holder": "stopping"}))
	require.Equal(t, Row{"is_done": false}, b.One("inbox.done", leased(mine[1])))
	again := b.take("next", 10)
	require.Equal(t, []any{11, 12}, ids(again))
	require.Equal(t, 1, again[0]["attempt"], "the attempt is not counted")
}

func TestFailedUpdateIsTriedFiveTimes(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.receive([2]int{10, 1}, [2]int{11, 1})
	for attempt := 1; attempt <= 5; attempt++ {
		update := b.take("h", 10)
		require.Equal(t, []any{10}, ids(update), "the chat waits")
		require.Equal(t, attempt, update[0]["attempt"])
		failed := b.One("inbox.failed", leased(update[0]).With("p_error", "no"))
		if attempt == 5 {
			require.Equal(t, Row{"will_retry": false, "next_attempt_at": nil}, failed)
			break
		}
		b.owner.At(at.Add(100 * time.Millisecond))
		at = at.Add(time.Second << (attempt - 1))
		require.Equal(t, Row{"will_retry": true, "next_attempt_at": at}, failed)
		require.Equal(t, failed, b.One("inbox.failed", leased(update[0]).With("p_error", "no")), "a repeat after a lost answer")
		require.Empty(t, b.take("h", 10))
		b.owner.At(at)
	}
	require.Equal(t, []Row{{"job_name": "inbox", "subject": "update:10", "error": "no"}},
		b.Query("select job_name, subject, error from ops.dead_letter"))
	require.Equal(t, []any{11}, ids(b.take("h", 10)), "then the chat goes on")
}

func TestUpdateThatKillsItsHandler(t *testing.T) {
	b := setup(t)
	b.receive([2]int{10, 1}, [2]int{11, 1})
	for attempt := 1; attempt <= 5; attempt++ {
		update := b.take("h", 10)
		require.Equal(t, []any{10}, ids(update))
		require.Equal(t, attempt, update[0]["attempt"])
		b.owner.Later(fmt.Sprint(attempt, " hours")) // nothing is heard of it
	}
	require.Equal(t, []any{11}, ids(b.take("h", 10)), "it is given up, and the chat goes on")
	require.Equal(t, []Row{{"job_name": "inbox", "subject": "update:10", "error": "every attempt ended without an answer"}},
		b.Query("select job_name, subject, error from ops.dead_letter"))
}

// TestExchange ends what was handled and hands out what waits, in one call.
func TestExchange(t *testing.T) {
	b := setup(t)
	b.receive([2]int{1, anna}, [2]int{2, anna}, [2]int{3, 77}, [2]int{4, 77})
	exchange := func(holder string, limit int, done ...Row) []Row {
		doneIDs, tokens := []any{}, []any{}
		for _, update := range done {
			doneIDs, tokens = append(doneIDs, update["update_id"]), append(tokens, update["lease_token"])
		}
		return b.All("inbox.exchange", desk.ClaimArgs(holder, limit).With("p_done_ids", doneIDs).With("p_done_tokens", tokens))
	}
	first := exchange("h", 10)
	require.Equal(t, []any{1, 3}, ids(first), "one per chat")
	require.Equal(t, []any{"ru", true}, []any{first[0]["language"], first[0]["is_reachable"]})
	require.Equal(t, []any{nil, nil}, []any{first[1]["language"], first[1]["is_reachable"]}, "nobody who is registered")

	second := exchange("h", 10, first...)
	require.Equal(t, []any{2, 4}, ids(second), "the chats' next ones, in the same call")
	b.owner.Query("update inbox.update set leased_until = '-infinity' where update_id = 4")
	taken := exchange("other", 1)
	require.Equal(t, []any{4}, ids(taken))
	require.Empty(t, exchange("h", 0, second...))
	require.Empty(t, exchange("h", 0, first...), "a repeat ends nothing twice")
	require.Equal(t, []Row{{"update_id": 4}}, b.owner.Query("select update_id::int from inbox.update where finished_at is null"),
		"whose lease was lost is not ended by who lost it")
	require.Empty(t, exchange("other", 10, taken...))
	require.Empty(t, b.owner.Query("select update_id from inbox.update where finished_at is null"))
}
