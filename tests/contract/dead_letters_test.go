package contract_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// jobFunctions are those that admins look at jobs with, and at what jobs gave up.
func jobFunctions() []function {
	name := map[string][]bad{"p_name": {refuse("22023", nil, "", "no such", long)}, "p_is_enabled": {refuse("22023", nil)}}
	letter := map[string][]bad{"p_dead_id": {refuse("22023", nil, 0, -1), accept(math.MaxInt64)}}
	return []function{
		{name: "ops.list_jobs", reads: true, allowed: "admin", args: func(world) A { return A{"p_admin_id": boss} },
			returns: "name text, schedule text, is_enabled boolean, is_exclusive boolean, next_run_at timestamptz, " +
				"last_started_at timestamptz, last_finished_at timestamptz, last_items integer, last_error text, " +
				"consecutive_failures integer, leader text, description text"},
		{name: "ops.run_job_now", allowed: "admin", switche: "admin_actions", returns: "name text, is_changed boolean", bad: name,
			args: func(world) A { return A{"p_admin_id": boss, "p_name": "audit.seal"} }},
		{name: "ops.switch_job", allowed: "admin", switche: "admin_actions", bad: name,
			returns: "name text, is_enabled boolean, is_replay boolean",
			args:    func(world) A { return A{"p_admin_id": boss, "p_name": "audit.seal", "p_is_enabled": false} }},
		{name: "ops.list_dead_letters", reads: true, allowed: "admin",
			returns: "dead_id bigint, job_name text, subject text, error text, died_at timestamptz",
			args:    func(world) A { return A{"p_admin_id": boss, "p_before": 5, "p_limit": 10} },
			bad:     map[string][]bad{"p_before": {accept(nil, 0, math.MaxInt64)}}},
		{name: "ops.show_dead_letter", reads: true, allowed: "admin", bad: letter,
			returns: "dead_id bigint, job_name text, subject text, error text, died_at timestamptz, telegram_id bigint",
			args:    func(world) A { return A{"p_admin_id": boss, "p_dead_id": 1} }},
		{name: "ops.drop_dead_letter", allowed: "admin", switche: "admin_actions", bad: letter,
			returns: "dead_id bigint, is_dropped boolean",
			args:    func(world) A { return A{"p_admin_id": boss, "p_dead_id": 1, "p_note": "looked at"} }},
		{name: "ops.retry_dead_letter", allowed: "admin", switche: "admin_actions", bad: letter,
			returns: "dead_id bigint, is_retried boolean",
			args:    func(world) A { return A{"p_admin_id": boss, "p_dead_id": 1} }},
	}
}

func TestJobsOfAdmins(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	list := func() map[any]Row {
		byName := map[any]Row{}
		for _, row := range b.All("ops.list_jobs", A{"p_admin_id": boss}) {
			byName[row["name"]] = row
		}
		return byName
	}
	require.Len(t, list(), b.count("ops.job"))
	require.Nil(t, list()["audit.seal"]["leader"])
	b.One("ops.claim_run", A{"p_job_name": "audit.seal", "p_holder": "w1"})
	b.One("ops.finish_run", A{"p_job_name": "audit.seal", "p_holder": "w1", "p_epoch": 1, "p_started_at": at, "p_items": 3,
		"p_error": "half of it", "p_next_run_at": at.Add(time.Minute)})
	require.Equal(t, Row{"leader": "w1", "last_items": 3, "last_error": "half of it", "consecutive_failures": 1,
		"next_run_at": at.Add(time.Minute), "schedule": "3 seconds", "is_exclusive": true, "is_enabled": true},
		pick(list()["audit.seal"], "leader", "last_items", "last_error", "consecutive_failures", "next_run_at", "schedule",
			"is_exclusive", "is_enabled"))

	run := func(name string) any {
		return b.One("ops.run_job_now", A{"p_admin_id": boss, "p_name": name})["is_changed"]
	}
	require.Equal(t, true, run("audit.seal"))
	require.Nil(t, list()["audit.seal"]["next_run_at"])
	require.Equal(t, true, b.One("ops.claim_run", A{"p_job_name": "audit.seal", "p_holder": "w1"})["is_claimed"])
	require.Equal(t, false, run("audit.seal"), "it is due already")
	require.Equal(t, false, run("notify.send"), "it runs all the time")

	enable := func(isEnabled bool) Row {
		return b.One("ops.switch_job", A{"p_admin_id": boss, "p_name": "audit.seal", "p_is_enabled": isEnabled})
	}
	b.One("ops.finish_run", A{"p_job_name": "audit.seal", "p_holder": "w1", "p_epoch": 1, "p_started_at": at, "p_items": 0,
		"p_error": nil, "p_next_run_at": at.Add(time.Minute)})
	require.Equal(t, Row{"name": "audit.seal", "is_enabled": false, "is_replay": false}, enable(false))
	require.Equal(t, Row{"name": "audit.seal", "is_enabled": false, "is_replay": true}, enable(false))
	require.Equal(t, false, run("audit.seal"), "nobody runs it")
	require.Equal(t, false, b.One("ops.claim_run", A{"p_job_name": "audit.seal", "p_holder": "w1"})["is_claimed"])
	require.Equal(t, false, enable(true)["is_replay"])
	b.owner.At(at.Add(time.Hour))
	require.Nil(t, list()["audit.seal"]["leader"], "its lease has ended")
	require.Equal(t, []Row{{"action": "ops.run_job_now", "is_enabled": nil}, {"action": "ops.switch_job", "is_enabled": false},
		{"action": "ops.switch_job", "is_enabled": true}}, b.Query(`select action, (details -> 'is_enabled')::boolean as is_enabled
			from audit.event where actor_id = 1 and subject_id = 'audit.seal' order by occurred_at`), "each change once")
}

func TestProcessesAndComponents(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	processes := func() []Row { return b.All("ops.list_processes", A{"p_admin_id": boss}) }
	require.Empty(t, processes())
	b.One("ops.acquire_lease", lease("telegram.poll", "host/1/aa", "1 minute"))
	b.owner.At(at.Add(30 * time.Second))
	b.One("ops.acquire_lease", lease("audit.seal", "host/2/bb", "1 minute"))
	b.One("ops.acquire_lease", lease("telegram.poll", "host/1/aa", "1 minute"))
	b.One("ops.acquire_lease", lease("a.job", "host/2/bb", "5 minutes"))
	require.Equal(t, []Row{{"holder": "host/1/aa", "leads": []any{"telegram.poll"}, "since": at},
		{"holder": "host/2/bb", "leads": []any{"a.job", "audit.seal"}, "since": at.Add(30 * time.Second)}}, processes(),
		"a renewal begins nothing new")
	b.owner.At(at.Add(2 * time.Minute))
	b.One("ops.release_lease", A{"p_name": "telegram.poll", "p_holder": "host/1/aa"})
	require.Equal(t, []Row{{"holder": "host/2/bb", "leads": []any{"a.job"}, "since": at.Add(30 * time.Second)}}, processes())
	b.One("ops.acquire_lease", lease("telegram.poll", "host/3/cc", "1 minute"))
	require.Equal(t, at.Add(2*time.Minute), processes()[1]["since"])

	b.seen("database", "up", nil)
	kinds := map[any]int{}
	for _, row := range b.All("ops.list_components", A{"p_admin_id": boss}) {
		kinds[row["kind"]]++
		if row["name"] == "bot" {
			require.Equal(t, Row{"state": "up", "detail": "host/3/cc polls Telegram"}, pick(row, "state", "detail"))
		}
	}
	require.Equal(t, map[any]int{"service": 1, "dependency": 5, "part": b.count("ops.component")}, kinds)

	system := b.One("ops.system", A{"p_admin_id": boss})
	require.Equal(t, b.Value("select version from ops.schema_version()"), system["schema_version"])
	require.Equal(t, b.Value("show server_version"), system["postgres_version"])
	require.Greater(t, system["database_bytes"], 1<<20)
	require.GreaterOrEqual(t, system["sessions"], 2)
	require.Empty(t, b.All("ops.list_lock_waits", A{"p_admin_id": boss, "p_limit": 10}))
}

// TestLockWaitsOfAdmins has one session wait for another.
func TestLockWaitsOfAdmins(t *testing.T) {
	b := setup(t)
	ctx := t.Context()
	holder, err := b.harness.Owner.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = holder.Rollback(ctx) }()
	_, err = holder.Exec(ctx, "select 1 from account.account where telegram_id = 1001 for update")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := b.harness.DBA.Exec(ctx, "select from account.set_reachable(p_telegram_id => 1001, p_is_reachable => false)")
		done <- err
	}()
	var waits []Row
	require.Eventually(t, func() bool {
		waits = b.All("ops.list_lock_waits", A{"p_admin_id": boss, "p_limit": 10})
		return len(waits) == 1
	}, time.Minute, 10*time.Millisecond)
	require.Contains(t, waits[0]["waits_for"], "account.account")
	require.Equal(t, "idle in transaction", waits[0]["blocking_state"])
	require.NoError(t, holder.Rollback(ctx))
	require.NoError(t, <-done)
	require.Empty(t, b.All("ops.list_lock_waits", A{"p_admin_id": boss, "p_limit": 1}))
}

// letters are the dead letters as an admin sees them.
func (b *bundle) letters() []Row {
	b.Helper()
	return b.All("ops.list_dead_letters", A{"p_admin_id": boss, "p_before": nil, "p_limit": 100})
}

func (b *bundle) retried(id any) any {
	b.Helper()
	return b.One("ops.retry_dead_letter", A{"p_admin_id": boss, "p_dead_id": id})["is_retried"]
}

func TestDeadLettersArePaged(t *testing.T) {
	b := setup(t)
	for i := range 5 {
		b.owner.Query("insert into ops.dead (job_name, subject, error, died_at) values ('j', $1, 'e', now())", fmt.Sprint("s", i))
	}
	page := func(before any) []any {
		subjects := []any{}
		for _, row := range b.All("ops.list_dead_letters", A{"p_admin_id": boss, "p_before": before, "p_limit": 2}) {
			subjects = append(subjects, row["subject"], row["dead_id"])
		}
		return subjects
	}
	first := page(nil)
	require.Equal(t, []any{"s4", "s3"}, []any{first[0], first[2]})
	second := page(first[3])
	require.Equal(t, []any{"s2", "s1"}, []any{second[0], second[2]})
	require.Equal(t, "s0", page(second[3])[0])

	drop := A{"p_admin_id": boss, "p_dead_id": first[1], "p_note": "ticket 7"}
	require.Equal(t, Row{"dead_id": first[1], "is_dropped": true}, b.One("ops.drop_dead_letter", drop))
	require.Equal(t, Row{"dead_id": first[1], "is_dropped": false}, b.One("ops.drop_dead_letter", drop))
	require.Empty(t, b.All("ops.show_dead_letter", A{"p_admin_id": boss, "p_dead_id": first[1]}))
	require.Equal(t, []Row{{"actor_id": boss, "subject_id": "j", "details": map[string]any{"subject": "s4", "error": "e", "note": "ticket 7"}}},
		b.Query("select actor_id, subject_id, details from audit.event where action = 'ops.drop_dead_letter'"), "once")
	require.Equal(t, false, b.retried(first[1]))
}

// TestRetryOfADeadUpdate: the update is handled again, from its first attempt.
func TestRetryOfADeadUpdate(t *testing.T) {
	b := setup(t)
	b.receive([2]int{7, anna})
	for range 5 {
		update := b.take("h", 1)[0]
		b.One("inbox.failed", leased(update).With("p_error", "boom"))
		b.owner.Query("update inbox.update set due_at = core.now()")
	}
	require.Empty(t, b.take("h", 1))
	letter := b.letters()[0]
	require.Equal(t, Row{"job_name": "inbox", "subject": "update:7", "error": "boom", "telegram_id": anna},
		pick(b.One("ops.show_dead_letter", A{"p_admin_id": boss, "p_dead_id": letter["dead_id"]}), "job_name", "subject", "error", "telegram_id"))
	require.Equal(t, true, b.retried(letter["dead_id"]))
	require.Equal(t, false, b.retried(letter["dead_id"]), "it is not there any more")
	require.Empty(t, b.letters())
	update := b.take("h", 1)[0]
	require.Equal(t, 1, update["attempt"])
	b.One("inbox.done", leased(update))
	b.owner.Query("insert into ops.dead (job_name, subject, error, died_at) values ('inbox', 'update:8', 'purged', now())")
	require.Equal(t, false, b.retried(b.letters()[0]["dead_id"]), "there is nothing to try any more")
	require.Len(t, b.letters(), 1)
	require.Equal(t, 1, b.Value("select count(*) from audit.event where action = 'ops.retry_dead_letter' and actor_id = 1"))
}

// TestRetryOfADeadMessage: it is sent again only where it certainly never arrived.
func TestRetryOfADeadMessage(t *testing.T) {
	b := setup(t)
	b.trial(anna, "t")
	b.owner.Query("update outbox.task set finished_at = now() where kind = 'message'")
	b.owner.Query(`insert into outbox.task (telegram_id, kind, name, due_at, created_at) values (1001, 'message', 'referral_joined', '2020-01-01', now())`)
	for range 10 {
		m := b.claim(1)[0]
		b.One("notify.failed", told(m).With("p_error", "Bad Request").With("p_is_unreachable", false))
		b.owner.Query("update outbox.task set due_at = core.now() where finished_at is null and kind = 'message'")
	}
	require.Empty(t, b.claim(1))
	letter := b.letters()[0]
	require.Equal(t, Row{"job_name": "notify.send", "telegram_id": anna},
		pick(b.One("ops.show_dead_letter", A{"p_admin_id": boss, "p_dead_id": letter["dead_id"]}), "job_name", "telegram_id"))
	require.Equal(t, true, b.retried(letter["dead_id"]))
	m := b.claim(1)[0]
	require.Equal(t, "referral_joined", m["template"])
	b.One("notify.sent", told(m))
	b.owner.Query("insert into ops.dead (job_name, subject, error, died_at) select job_name, subject, error, now() from (values ('notify.send', 'message:' || $1::text, 'e')) v (job_name, subject, error)",
		fmt.Sprint(m["message_id"]))
	require.Equal(t, false, b.retried(b.letters()[0]["dead_id"]), "it has arrived")
	b.owner.Query("update ops.dead set subject = 'message:1'")
	require.Equal(t, false, b.retried(b.letters()[0]["dead_id"]), "there is no such message")
}

// TestRetryOfWhatAJobGaveUp: the job looks at it again at once.
func TestRetryOfWhatAJobGaveUp(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.trial(anna, "t")
	b.remind()
	b.owner.Query("alter table outbox.task add constraint poison check (telegram_id <> 1001) not valid")
	b.owner.At(at.Add(6 * time.Hour))
	require.Equal(t, 0, b.remind())
	b.owner.Query("alter table outbox.task drop constraint poison")
	letter := b.letters()[0]
	require.Equal(t, anna, b.One("ops.show_dead_letter", A{"p_admin_id": boss, "p_dead_id": letter["dead_id"]})["telegram_id"])
	require.Equal(t, true, b.retried(letter["dead_id"]))
	require.Equal(t, 1, b.remind())
	b.Reconciled()
}
