package contract_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

// everybodyFunctions are those that give everybody a new key.
func everybodyFunctions() []function {
	admin := func(world) A { return A{"p_admin_id": boss} }
	return []function{
		due("vpn.reissue_due", "reissued integer"),
		{name: "vpn.reissue_all", allowed: "admin", switche: "admin_actions", returns: "request_id bigint, people bigint, is_replay boolean",
			args: func(world) A { return everybody("new") }},
		{name: "vpn.cancel_reissue", allowed: "admin", switche: "admin_actions",
			returns: "request_id bigint, status text, is_replay boolean, ended_by bigint, ended_at timestamptz",
			args:    func(w world) A { return A{"p_admin_id": boss, "p_request_id": w.request} },
			bad:     map[string][]bad{"p_request_id": {refuse("22023", nil), refuse("VP004", -1, 0, 1<<62)}}},
		{name: "vpn.show_reissue", reads: true, allowed: "admin", args: admin,
			returns: "request_id bigint, status text, admin_id bigint, username text, requested_at timestamptz, expected bigint, " +
				"done bigint, skipped bigint, failed bigint, waiting bigint, removing bigint, seconds_left bigint, ended_at timestamptz, " +
				"ended_by bigint, ended_by_name text"},
		{name: "vpn.overview", reads: true, allowed: "admin", args: admin,
			returns: "people bigint, is_estimate boolean, waiting bigint, failed bigint, reissue_seconds bigint"},
	}
}

func everybody(key string) A { return A{"p_admin_id": boss, "p_idempotency_key": key} }

// reissueSome runs the job once.
func (b *bundle) reissueSome(limit int) any {
	b.Helper()
	return b.One("vpn.reissue_due", batch(nil, limit))["reissued"]
}

// reissueRest runs the job until it is done, and the nodes do all that they are promised.
func (b *bundle) reissueRest() {
	b.Helper()
	for range 50 {
		b.reissueSome(100)
		b.provisionAll()
		if b.howFar()["status"] == "done" {
			return
		}
	}
	require.Fail(b, "it does not come to an end", "%v", b.howFar())
}

// provisionAll has the nodes do all that waits for them.
func (b *bundle) provisionAll() {
	b.Helper()
	for jobs := b.jobs("w", 1000); len(jobs) > 0; jobs = b.jobs("w", 1000) {
		for _, job := range jobs {
			key := any("vless://" + job["vpn_uuid"].(string))
			if job["action"] == "remove" {
				key = nil
			}
			b.One("vpn.complete_job", of(job, "p_key_uri", key))
		}
	}
}

func (b *bundle) howFar() Row {
	b.Helper()
	return b.One("vpn.show_reissue", A{"p_admin_id": boss})
}

func TestEverybodyGetsANewKey(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	const blocked, over, moved, newcomer, herself = 2000, 2001, 2002, 2003, 2004
	for _, id := range []int{blocked, over, moved, newcomer, herself} {
		b.User(id)
		b.Credit(id, 100000)
	}
	b.Buy(anna, "basic", 1, "1")
	b.trial(bert, "t")
	b.Buy(blocked, "plus", 3, "1")
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": blocked, "p_reason": "r"})
	b.One("subscription.grant_time", grant(over, "basic", "1 hour", "g"))
	b.Buy(moved, "basic", 1, "1")
	b.Buy(herself, "basic", 1, "1")
	b.provisionAll()
	before := map[int]Row{}
	for _, id := range []int{anna, bert, blocked, over, moved, herself} {
		before[id] = b.subscription(id)
	}
	require.Empty(t, b.All("vpn.show_reissue", A{"p_admin_id": boss}))

	b.owner.At(at.Add(time.Minute))
	require.Equal(t, Row{"request_id": 1, "people": 6, "is_replay": false}, b.One("vpn.reissue_all", everybody("k")))
	require.Equal(t, Row{"request_id": 1, "people": 6, "is_replay": true}, b.One("vpn.reissue_all", everybody("k")))
	require.Equal(t, Row{"request_id": 1, "status": "running", "admin_id": boss, "username": "user_1", "requested_at": at.Add(time.Minute),
		"expected": 6, "done": 0, "skipped": 0, "failed": 0, "waiting": 0, "removing": 0, "seconds_left": nil, "ended_at": nil, "ended_by": nil,
		"ended_by_name": nil}, b.howFar())

	b.owner.At(at.Add(2 * time.Minute))
	b.Buy(newcomer, "basic", 1, "1")
	b.One("vpn.reissue", reissue(herself, nil, "tap"))
	b.Buy(moved, "basic", 1, "2") // a renewal promises the old identity again
	b.owner.At(at.Add(time.Hour))
	require.Equal(t, 2, b.reissueSome(2), "the first two by their ids")
	require.Equal(t, Row{"done": 2, "skipped": 0, "waiting": 2, "removing": 2, "seconds_left": 7080},
		pick(b.howFar(), "done", "skipped", "waiting", "removing", "seconds_left"))
	require.Equal(t, before[blocked]["vpn_uuid"], b.subscription(blocked)["vpn_uuid"])
	b.reissueRest()
	require.Equal(t, Row{"status": "done", "expected": 6, "done": 4, "skipped": 2, "failed": 0, "waiting": 0, "seconds_left": nil,
		"ended_at": at.Add(time.Hour), "ended_by": nil}, pick(b.howFar(), "status", "expected", "done", "skipped", "failed",
		"waiting", "seconds_left", "ended_at", "ended_by"))

	for _, id := range []int{anna, bert, blocked, moved} {
		old, now := before[id], b.subscription(id)
		require.NotEqual(t, old["vpn_uuid"], now["vpn_uuid"], id)
		require.Equal(t, "vless://"+now["vpn_uuid"].(string), now["key_uri"])
		if id != moved {
			require.Equal(t, pick(old, "status", "tariff", "expires_at"), pick(now, "status", "tariff", "expires_at"), "the end stays")
			require.Equal(t, [][]any{{"add", old["vpn_uuid"]}, {"add", now["vpn_uuid"]}, {"remove", old["vpn_uuid"]}}, b.nodeJobs(id))
		}
		require.Equal(t, []Row{{"idempotency_key": "all:1", "actor_id": boss, "changed_at": at.Add(time.Hour)}}, b.owner.Query(
			"select idempotency_key, actor_id, changed_at from subscription.change where kind = 'reissue' and telegram_id = $1", id))
		require.Equal(t, 1, b.count("audit.event where action = 'vpn.reissue' and actor_id = 1 and subject_id = $1", fmt.Sprint(id)))
	}
	require.Equal(t, "over", map[any]string{"expired": "over"}[b.subscription(over)["status"]])
	require.Equal(t, before[over]["vpn_uuid"], b.subscription(over)["vpn_uuid"])
	require.Equal(t, 1, b.count("subscription.change where kind = 'reissue' and telegram_id = $1", herself))
	require.Equal(t, 0, b.count("subscription.change where kind = 'reissue' and telegram_id = $1", newcomer))
	require.Equal(t, []Row{{"subject_id": "1", "people": 6}}, b.Query(
		"select subject_id, (details ->> 'people')::int as people from audit.event where action = 'vpn.reissue_all'"))

	require.Equal(t, 0, b.reissueSome(100), "there is no other request")
	require.Equal(t, true, b.One("vpn.reissue_all", everybody("k"))["is_replay"], "done is done")
	require.Equal(t, false, b.One("vpn.reissue_all", everybody("k2"))["is_replay"])
	b.owner.At(at.Add(2 * time.Hour))
	b.reissueRest()
	require.Equal(t, 6, b.howFar()["done"])
}

func TestOneRequestForEverybodyAtATime(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.User(second)
	b.One("account.grant_admin", A{"p_telegram_id": second, "p_note": "n"})
	b.Buy(anna, "basic", 1, "1")
	b.trial(bert, "t")
	b.owner.At(at.Add(time.Minute))
	id := b.One("vpn.reissue_all", everybody("k"))["request_id"]
	refusal := b.Refused("VP003", "vpn.reissue_all", everybody("k2"))
	require.Contains(t, refusal.Detail, "request 1 since 2027-03-05 10:01:00+00 by 1")
	b.Refused("VP003", "vpn.reissue_all", everybody("k").With("p_admin_id", second)) // a key of its own

	require.Equal(t, 1, b.reissueSome(1))
	stop := A{"p_admin_id": second, "p_request_id": id}
	ended := Row{"request_id": id, "status": "cancelled", "is_replay": false, "ended_by": second, "ended_at": at.Add(time.Minute)}
	require.Equal(t, ended, b.One("vpn.cancel_reissue", stop))
	ended["is_replay"] = true
	b.owner.At(at.Add(2 * time.Minute))
	require.Equal(t, ended, b.One("vpn.cancel_reissue", stop))
	require.Equal(t, ended, b.One("vpn.cancel_reissue", stop.With("p_admin_id", boss)), "says who was first")
	require.Equal(t, 1, b.count("audit.event where action = 'vpn.cancel_reissue' and actor_id = $1", second))
	require.Equal(t, 0, b.reissueSome(10))
	require.Equal(t, Row{"status": "cancelled", "done": 1, "waiting": 1, "ended_by": second, "ended_by_name": "user_" + fmt.Sprint(second)},
		pick(b.howFar(), "status", "done", "waiting", "ended_by", "ended_by_name"))
	b.provisionAll()
	require.Equal(t, 1, b.count("subscription.change where kind = 'reissue'"), "what was done stays")

	next := b.One("vpn.reissue_all", everybody("k").With("p_admin_id", second))["request_id"]
	b.owner.At(at.Add(3 * time.Minute))
	b.reissueRest()
	require.Equal(t, 2, b.howFar()["done"])
	require.Equal(t, Row{"request_id": next, "status": "done", "is_replay": true, "ended_by": nil, "ended_at": at.Add(3 * time.Minute)},
		b.One("vpn.cancel_reissue", A{"p_admin_id": boss, "p_request_id": next}))
}

// TestKeysThatWerePaidForDoNotWaitForEverybody: few of the many tasks are there at once, and what is bought comes next.
func TestKeysThatWerePaidForDoNotWaitForEverybody(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	const buyer = 4000
	b.User(buyer)
	b.Credit(buyer, 100000)
	for id := 3000; id < 3010; id++ {
		b.User(id)
		b.trial(id, "t")
	}
	b.provisionAll()
	b.One("ops.set_setting", A{"p_name": "reissue_tasks_at_once", "p_value": 7})
	b.owner.At(at.Add(time.Minute))
	require.Equal(t, 2, b.One("vpn.overview", A{"p_admin_id": boss})["reissue_seconds"], "ten people, five at once")
	b.One("vpn.reissue_all", everybody("k"))
	require.Equal(t, 3, b.reissueSome(100))
	for range 3 {
		require.Equal(t, 0, b.reissueSome(100), "nobody is at the nodes yet")
	}
	require.Equal(t, 6, b.count("outbox.task where kind = 'provision' and finished_at is null and other_id = 1"))
	b.owner.At(at.Add(2 * time.Minute))
	b.Buy(buyer, "basic", 1, "1")
	first := b.jobs("w", 100)
	require.Len(t, first, 4, "three of the ten, and the key that was bought")
	require.Equal(t, buyer, first[3]["telegram_id"])
	b.One("vpn.complete_job", of(first[0], "p_key_uri", "vless://k"))
	require.Equal(t, Row{"waiting": 2, "removing": 3}, pick(b.howFar(), "waiting", "removing"))
	require.Equal(t, 1, b.reissueSome(100), "one task is done, and one was left over")
	require.Equal(t, 0, b.reissueSome(100))
	for _, job := range first[1:] {
		b.One("vpn.complete_job", of(job, "p_key_uri", "vless://k"))
	}
	b.reissueRest()
	require.Equal(t, Row{"done": 10, "skipped": 1}, pick(b.howFar(), "done", "skipped"))
}

func TestF3PoisonedNewKeyForEverybody(t *testing.T) {
	for how, poison := range poisons("subscription.change") {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			b.harness.BooksAreWrong("Anna cannot be given a new key")
			at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
			b.owner.At(at)
			b.Buy(anna, "basic", 1, "1")
			b.trial(bert, "t")
			b.provisionAll()
			old := b.subscription(anna)
			b.owner.At(at.Add(time.Minute))
			b.One("vpn.reissue_all", everybody("k"))
			b.script(poison)
			require.Equal(t, 1, b.reissueSome(10))
			b.reissueRest()
			require.Equal(t, Row{"done": 1, "skipped": 0, "failed": 1}, pick(b.howFar(), "done", "skipped", "failed"))
			require.Equal(t, old, b.subscription(anna), "her key works on")
			b.buried("vpn.reissue_due")
			dead := b.Value("select dead_id from ops.dead_letter")
			require.Equal(t, false, b.One("ops.retry_dead_letter", A{"p_admin_id": boss, "p_dead_id": dead})["is_retried"],
				"the request has gone on: an admin gives her one")
		})
	}
}

func TestOverviewOfKeys(t *testing.T) {
	b := setup(t)
	overview := func() Row { return b.One("vpn.overview", A{"p_admin_id": boss}) }
	require.Equal(t, Row{"people": 0, "is_estimate": false, "waiting": 0, "failed": 0, "reissue_seconds": 0}, overview())
	b.Buy(anna, "basic", 1, "1")
	b.Buy(anna, "basic", 1, "2")
	b.trial(bert, "t")
	require.Equal(t, Row{"people": 2, "waiting": 3, "failed": 0}, pick(overview(), "people", "waiting", "failed"))
	b.One("ops.set_setting", A{"p_name": "provisioning_attempts", "p_value": 1})
	for range 2 {
		for _, job := range b.jobs("w", 10) {
			b.One("vpn.fail_job", of(job, "p_error", "no"))
		}
	}
	require.Equal(t, Row{"people": 2, "waiting": 0, "failed": 2}, pick(overview(), "people", "waiting", "failed"), "people, not tasks")
	b.One("subscription.revoke", revoke(bert, "k"))
	require.Equal(t, Row{"people": 1, "failed": 1}, pick(overview(), "people", "failed"))

	conn, err := pgx.Connect(context.Background(), b.harness.DSN(harness.Superuser))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(context.Background(),
		"update pg_class set reltuples = 20001 where oid = 'subscription.subscription'::regclass")
	require.NoError(t, err)
	require.Equal(t, Row{"people": 10000, "is_estimate": true}, pick(overview(), "people", "is_estimate"))
}
