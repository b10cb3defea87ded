package contract_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func opsFunctions() []function {
	name := []bad{refuse("22023", nil, "", "no such", long)}
	lease := []bad{refuse("22023", nil, "", strings.Repeat("n", 129), long), accept(control)}
	return []function{
		{name: "ops.acquire_lease", allowed: "bot worker", returns: "epoch bigint",
			args: func(world) A { return A{"p_name": "l", "p_holder": "h", "p_ttl": "1 minute"} },
			bad:  map[string][]bad{"p_name": lease, "p_ttl": usual["p_lease"]}},
		{name: "ops.release_lease", allowed: "bot worker", returns: "is_released boolean",
			args: func(world) A { return A{"p_name": "l", "p_holder": "h"} },
			bad:  map[string][]bad{"p_name": lease}},
		{name: "ops.claim_run", allowed: "worker",
			returns: "is_claimed boolean, epoch bigint, batch_size integer, timeout_seconds integer, schedule text",
			args:    func(world) A { return A{"p_job_name": "billing.expire_due", "p_holder": "h"} },
			bad:     map[string][]bad{"p_job_name": name}},
		{name: "ops.finish_run", allowed: "worker", returns: "is_recorded boolean",
			args: func(world) A {
				return A{"p_job_name": "billing.expire_due", "p_holder": "w", "p_epoch": 1, "p_started_at": "2027-01-01",
					"p_items": 1, "p_error": "e", "p_next_run_at": "2027-01-01"}
			},
			bad: map[string][]bad{"p_job_name": name, "p_epoch": {accept(nil, 0, -1, math.MaxInt64)},
				"p_started_at": {refuse("22023", nil)}, "p_items": {refuse("22023", nil, -1), accept(0, math.MaxInt32)},
				"p_error": {accept(nil, "", long, control)}, "p_next_run_at": {accept(nil)}}},
		{name: "ops.set_feature", allowed: "admin", returns: "name text, is_on boolean",
			args: func(world) A { return A{"p_admin_id": boss, "p_name": "trials", "p_is_on": false} },
			bad:  map[string][]bad{"p_name": name, "p_is_on": {refuse("22023", nil)}}},
		{name: "ops.dashboard", reads: true, allowed: "admin", args: func(world) A { return A{"p_admin_id": boss} },
			returns: "pending_withdrawals bigint, suspended_payments bigint, waiting_keys bigint, dead_letters bigint, " +
				"running_broadcasts bigint, service_state text, features_off text[]"},
		{name: "ops.set_job", returns: "name text, schedule text, is_enabled boolean",
			args: func(world) A {
				return A{"p_name": "notify.send", "p_schedule": "2 seconds", "p_is_enabled": true}
			},
			bad: map[string][]bad{"p_name": name, "p_is_enabled": {accept(nil)},
				"p_schedule": {refuse("22023", "", "0 seconds", "1 minute", "* * * *", "* * * * * *", long, control,
					strings.Repeat("1", 100)+" * * * *"), accept(nil, "*/5 3 * * *", "17 3 1,15 * MON-FRI")}}},
		{name: "ops.set_setting", returns: "name text, value bigint",
			args: func(world) A { return A{"p_name": "star_kopecks", "p_value": 180} },
			bad: map[string][]bad{"p_name": name,
				"p_value": {refuse("22023", nil, 0, -1, 100_001, math.MaxInt64), accept(1, 100_000)}}},
		{name: "ops.rate_limits", reads: true, allowed: "bot", args: func(world) A { return A{} },
			returns: "action text, attempts bigint, per_seconds integer"},
		{name: "ops.service_status", reads: true, allowed: "bot admin", args: func(world) A { return A{} },
			returns: "component text, state text, since timestamptz"},
		{name: "ops.take_attempt", allowed: "bot", returns: "wait_milliseconds bigint",
			args: func(world) A { return A{"p_telegram_id": anna, "p_action": "promo"} },
			bad: map[string][]bad{"p_action": {refuse("22023", nil, "", "Promo", long, control)},
				"p_telegram_id": {refuse("22023", nil, 0, -1, 1<<52, math.MaxInt64), accept(nobody, 1<<52-1)}}},
		{name: "ops.clear_dead_letter", returns: "dead_id bigint, is_cleared boolean",
			args: func(world) A { return A{"p_dead_id": 1, "p_note": "mended"} },
			bad:  map[string][]bad{"p_dead_id": {refuse("22023", nil, 0, -1), accept(math.MaxInt64)}}},
		{name: "ops.report_component", allowed: "worker", returns: "component text, state text, is_changed boolean",
			args: func(world) A {
				return A{"p_component": "redis", "p_state": "down", "p_detail": "no answer", "p_instance": "w", "p_epoch": 1}
			},
			bad: map[string][]bad{"p_component": {refuse("22023", nil, "", "service", long)},
				"p_state": {refuse("22023", nil, "", "unknown", "degraded", long)}, "p_detail": {accept(nil, "", long, control)},
				"p_instance": usual["p_holder"]}},
		{name: "ops.schema_version", reads: true, allowed: "bot worker auditor", args: func(world) A { return A{} },
			returns: "version bigint"},
		{name: "ops.reconcile", reads: true, allowed: "worker auditor", args: func(world) A { return A{} },
			returns: "check_name text, subject text, detail text"},
		{name: "ops.lock_waits", reads: true, allowed: "worker auditor", args: func(world) A { return A{} },
			returns: "pid integer, user_name text, application_name text, waited interval, lock_mode text, waits_for text, " +
				"query text, blocking_pid integer, blocking_user_name text, blocking_application_name text, " +
				"blocking_state text, blocking_state_lasts interval, blocking_transaction_lasts interval, blocking_query text"},
		due("ops.purge_due", "purged integer"),
	}
}

func lease(name, holder, ttl string) A { return A{"p_name": name, "p_holder": holder, "p_ttl": ttl} }

func TestLease(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	epoch := func(holder string) any { return b.One("ops.acquire_lease", lease("l", holder, "30 seconds"))["epoch"] }
	release := func(holder string) any {
		return b.One("ops.release_lease", A{"p_name": "l", "p_holder": holder})["is_released"]
	}
	require.Equal(t, false, release("a"))
	require.Equal(t, 1, epoch("a"))
	require.Nil(t, epoch("b"), "somebody else holds it")
	b.owner.At(at.Add(20 * time.Second))
	require.Equal(t, 1, epoch("a"), "a renewal keeps the epoch")
	b.owner.At(at.Add(50*time.Second - time.Microsecond))
	require.Nil(t, epoch("b"), "… and moves the end")
	b.owner.At(at.Add(50 * time.Second))
	require.Equal(t, 2, epoch("b"), "a takeover raises it")
	require.Nil(t, epoch("a"))

	require.Equal(t, false, release("a"), "it is not a's")
	require.Nil(t, epoch("a"))
	require.Equal(t, true, release("b"))
	require.Equal(t, false, release("b"))
	require.Equal(t, 3, epoch("b"), "a leadership that was given up is a new one, even for the same holder")
	b.owner.At(at.Add(time.Hour))
	require.Equal(t, 4, epoch("b"), "so is one that has run out")
	require.Equal(t, 1, b.One("ops.acquire_lease", lease("other", "b", "1 minute"))["epoch"], "each name has its own")
}

func TestExclusiveJob(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	claim := func(holder string) Row {
		return b.One("ops.claim_run", A{"p_job_name": "billing.expire_due", "p_holder": holder})
	}
	finish := func(holder string, epoch any, items int, problem any) any {
		return b.One("ops.finish_run", A{"p_job_name": "billing.expire_due", "p_holder": holder, "p_epoch": epoch,
			"p_started_at": at, "p_items": items, "p_error": problem, "p_next_run_at": at.Add(5 * time.Second)})["is_recorded"]
	}
	require.Equal(t, Row{"is_claimed": true, "epoch": 1, "batch_size": 500, "timeout_seconds": 30, "schedule": "5 seconds"},
		claim("a"))
	require.Equal(t, Row{"is_claimed": false, "epoch": nil}, pick(claim("b"), "is_claimed", "epoch"))
	require.Equal(t, false, finish("b", 1, 1, nil), "it is not b's run")
	require.Equal(t, false, finish("a", 2, 1, nil))
	require.Equal(t, true, finish("a", 1, 0, nil))
	require.Equal(t, false, claim("a")["is_claimed"], "not due")
	b.owner.At(at.Add(5 * time.Second))
	require.Equal(t, true, claim("a")["is_claimed"])
	require.Equal(t, true, finish("a", 1, 3, "half of it failed"))
	require.Equal(t, true, finish("a", 1, 0, strings.Repeat("e", 2000)))

	job := b.Query("select * from ops.job where name = 'billing.expire_due'")[0]
	require.Equal(t, Row{"consecutive_failures": 2, "last_items": 0, "next_run_at": at.Add(5 * time.Second),
		"last_started_at": at, "last_finished_at": at.Add(5 * time.Second)},
		pick(job, "consecutive_failures", "last_items", "next_run_at", "last_started_at", "last_finished_at"))
	runs := b.Query("select items, holder, epoch, length(error) as length from ops.job_run order by run_id")
	require.Equal(t, []Row{{"items": 3, "holder": "a", "epoch": 1, "length": 17},
		{"items": 0, "holder": "a", "epoch": 1, "length": 1000}}, runs, "a run that did nothing is not kept")
	require.Equal(t, true, finish("a", 1, 0, nil))
	require.Equal(t, 0, b.Value("select consecutive_failures from ops.job where name = 'billing.expire_due'"))

	b.owner.At(at.Add(time.Hour))
	require.Equal(t, 2, claim("b")["epoch"])
	require.Equal(t, false, finish("a", 1, 1, nil), "the lease was lost meanwhile")
}

func TestParallelJob(t *testing.T) {
	b := setup(t)
	claim := func(holder string) Row {
		return b.One("ops.claim_run", A{"p_job_name": "notify.send", "p_holder": holder})
	}
	for _, holder := range []string{"a", "b", "a"} {
		require.Equal(t, Row{"is_claimed": true, "epoch": nil, "batch_size": 30, "timeout_seconds": 60,
			"schedule": "1 seconds"}, claim(holder))
	}
	require.Equal(t, true, b.One("ops.finish_run", A{"p_job_name": "notify.send", "p_holder": "a", "p_epoch": nil,
		"p_started_at": "2027-01-01", "p_items": 1, "p_error": nil, "p_next_run_at": nil})["is_recorded"])

	require.Equal(t, Row{"name": "notify.send", "schedule": "1 seconds", "is_enabled": false},
		b.One("ops.set_job", A{"p_name": "notify.send", "p_schedule": nil, "p_is_enabled": false}))
	require.Equal(t, false, claim("a")["is_claimed"])
	require.Equal(t, Row{"name": "notify.send", "schedule": "2 seconds", "is_enabled": false},
		b.One("ops.set_job", A{"p_name": "notify.send", "p_schedule": "2 seconds", "p_is_enabled": nil}))
	require.Equal(t, []Row{{"by": "atlas_test_dba", "schedule": nil, "is_enabled": "false"},
		{"by": "atlas_test_dba", "schedule": "2 seconds", "is_enabled": nil}},
		b.Query(`select details ->> 'by' as by, details ->> 'schedule' as schedule,
			details ->> 'is_enabled' as is_enabled from audit.event where action = 'ops.set_job' order by occurred_at`))
}

func TestSetJobOfAnExclusiveJobRunsItAnew(t *testing.T) {
	b := setup(t)
	b.owner.Query("update ops.scheduled_job set next_run_at = '2100-01-01' where name = 'billing.expire_due'")
	next := func() any { return b.Value("select next_run_at from ops.job where name = 'billing.expire_due'") }
	b.One("ops.set_job", A{"p_name": "billing.expire_due", "p_schedule": nil, "p_is_enabled": true})
	require.NotNil(t, next())
	b.One("ops.set_job", A{"p_name": "billing.expire_due", "p_schedule": "9 seconds", "p_is_enabled": nil})
	require.Nil(t, next())
}

func TestSettingsAndSwitchesAreAudited(t *testing.T) {
	b := setup(t)
	require.Equal(t, Row{"name": "star_kopecks", "value": 200},
		b.One("ops.set_setting", A{"p_name": "star_kopecks", "p_value": 200}))
	for range 2 {
		require.Equal(t, Row{"name": "trials", "is_on": false},
			b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "trials", "p_is_on": false}))
	}
	require.Equal(t, []Row{
		{"action": "ops.set_setting", "actor_id": nil, "subject_id": "star_kopecks",
			"details": map[string]any{"from": 170.0, "to": 200.0, "by": "atlas_test_dba"}},
		{"action": "ops.set_feature", "actor_id": boss, "subject_id": "trials", "details": map[string]any{"is_on": false}}},
		b.Query(`select action, actor_id, subject_id, details from audit.event where action like 'ops.%'
			order by occurred_at`), "each change once")
}

func TestPurge(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "k")
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	b.One("notify.sent", told(b.claim(1)[0])) // key_ready stays unsent
	b.receive([2]int{1, 1}, [2]int{2, 2}, [2]int{3, 3})
	for _, update := range b.take("h", 2) {
		b.One("inbox.done", leased(update))
	}
	b.One("ops.finish_run", A{"p_job_name": "notify.send", "p_holder": "a", "p_epoch": nil,
		"p_started_at": "2027-01-01", "p_items": 1, "p_error": nil, "p_next_run_at": nil})
	b.One("ops.take_attempt", A{"p_telegram_id": anna, "p_action": "trial"})

	b.One("account.draft_action", drafted("credit", "{}", "k"))
	b.owner.Later("29 days")
	require.Equal(t, Row{"purged": 0}, b.One("ops.purge_due", batch(nil, 100)))
	b.owner.Later("31 days")
	require.Equal(t, Row{"purged": 5}, b.One("ops.purge_due", batch(nil, 1)), "one of each kind")
	require.Equal(t, Row{"purged": 1}, b.One("ops.purge_due", batch(nil, 100)))
	require.Equal(t, Row{"purged": 0}, b.One("ops.purge_due", batch(nil, 100)))
	require.Equal(t, 1, b.count("inbox.update"))
	require.Equal(t, []string{"key_ready"}, b.messages(anna))
	require.Equal(t, 1, b.count("outbox.task where kind = 'provision'"), "what purchases refer to stays")
	require.Equal(t, 0, b.count("ops.job_run"))
	require.Equal(t, 0, b.count("ops.attempt"))
	require.Equal(t, 0, b.count("account.draft"))
	b.Refused("OP002", "ops.purge_due", batch(7, 100))
}

func TestClearDeadLetter(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.trial(anna, "t")
	b.remind()
	b.owner.Query("alter table outbox.task add constraint poison check (telegram_id <> 1001) not valid")
	b.owner.At(at.Add(6 * time.Hour))
	require.Equal(t, 0, b.remind())
	b.buried("notify.enqueue_due")
	b.owner.Query("alter table outbox.task drop constraint poison")
	require.Equal(t, 0, b.remind(), "within the hour it is passed by")

	id := b.Value("select dead_id from ops.dead_letter")
	args := A{"p_dead_id": id, "p_note": "ticket 7"}
	require.Equal(t, Row{"dead_id": id, "is_cleared": true}, b.One("ops.clear_dead_letter", args))
	require.Equal(t, Row{"dead_id": id, "is_cleared": false}, b.One("ops.clear_dead_letter", args))
	require.Empty(t, b.Query("select * from ops.dead_letter"))
	b.Reconciled()
	entry := b.Query("select subject_id, details from audit.event where action = 'ops.clear_dead_letter'")
	require.Len(t, entry, 1, "once")
	require.Equal(t, "notify.enqueue_due", entry[0]["subject_id"])
	require.Equal(t, Row{"subject": "telegram_id:1001", "note": "ticket 7"},
		pick(entry[0]["details"].(map[string]any), "subject", "note"))
	require.Equal(t, 1, b.remind(), "at once")
}
