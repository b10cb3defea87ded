package contract_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func vpnFunctions() []function {
	claimed := func(last string, value any) func(w world) A {
		return func(w world) A {
			return A{"p_job_id": w.job["job_id"], "p_lease_token": w.job["lease_token"], last: value}
		}
	}
	job := []bad{refuse("22023", nil), refuse("VP001", -1, 0, 1<<62)}
	token := []bad{refuse("22023", nil), refuse("VP001", unknown)}
	return []function{
		{name: "vpn.claim_jobs", allowed: "worker", switche: "provisioning",
			returns: "job_id bigint, telegram_id bigint, action text, vpn_uuid uuid, tariff text, expires_at timestamptz, " +
				"attempt integer, lease_token uuid, device_limit integer, correlation_id text, node text",
			args: func(world) A { return desk.ClaimArgs("w", 10) }},
		{name: "vpn.complete_job", allowed: "worker", returns: "job_id bigint, is_replay boolean",
			args: func(w world) A {
				return A{"p_job_id": w.job["job_id"], "p_lease_token": w.job["lease_token"], "p_key_uri": "vless://key", "p_node": "fi-1"}
			},
			bad: map[string][]bad{"p_job_id": job, "p_lease_token": token, "p_node": {refuse("22023", badNodeNames...), accept(nil)},
				"p_key_uri": {refuse("22023", nil, "", "a b", control, strings.Repeat("k", 2049), long), accept("https://k")}}},
		{name: "vpn.fail_job", allowed: "worker", args: claimed("p_error", "no"),
			returns: "job_id bigint, will_retry boolean, next_attempt_at timestamptz",
			bad:     map[string][]bad{"p_job_id": job, "p_lease_token": token}},
		{name: "vpn.release_job", allowed: "worker", args: claimed("p_error", "down"),
			returns: "next_attempt_at timestamptz",
			bad:     map[string][]bad{"p_job_id": job, "p_lease_token": token}},
		{name: "vpn.reissue", allowed: "bot admin", returns: "vpn_uuid uuid, is_replay boolean",
			args: func(world) A { return reissue(anna, nil, "new") },
			bad:  map[string][]bad{"p_admin_id": {refuse("US003", 0, -1, 1<<62, anna, nobody), accept(nil, boss)}}},
		{name: "vpn.wanted_users", reads: true, allowed: "worker", args: func(world) A { return A{} },
			returns: "vpn_uuid uuid, device_limit integer, expires_at timestamptz, telegram_id bigint, node text, is_pending boolean"},
		{name: "vpn.list_nodes", reads: true, allowed: "worker admin auditor", args: func(world) A { return A{} },
			returns: "name text, is_draining boolean, is_up boolean, users integer, keys bigint, reported_at timestamptz, last_error text"},
		{name: "vpn.draining_nodes", reads: true, allowed: "worker", args: func(world) A { return A{} }, returns: "name text"},
		{name: "vpn.report_node", allowed: "worker", returns: "name text, is_draining boolean",
			args: func(world) A { return report("fi-1", true, 3, nil) },
			bad: map[string][]bad{"p_name": {refuse("22023", append(badNodeNames, nil)...)}, "p_is_up": {refuse("22023", nil)},
				"p_users": {refuse("22023", -1), accept(nil, 0)}, "p_error": {accept(nil, "", long, control)}}},
		{name: "vpn.set_node", allowed: "admin", switche: "admin_actions", returns: "name text, is_draining boolean, keys bigint",
			args: func(world) A { return A{"p_admin_id": boss, "p_name": "old-1", "p_is_draining": false} },
			bad:  map[string][]bad{"p_name": {refuse("22023", append(badNodeNames, nil, "fi-2")...)}, "p_is_draining": {refuse("22023", nil)}}},
		{name: "vpn.move_keys", allowed: "admin", switche: "admin_actions", returns: "moved integer, keys bigint",
			args: func(world) A { return A{"p_admin_id": boss, "p_name": "old-1", "p_limit": 10} },
			bad:  map[string][]bad{"p_name": {refuse("22023", append(badNodeNames, nil, "fi-2")...)}}},
	}
}

// jobs claims provisioning jobs.
func (b *bundle) jobs(holder string, limit int) []Row {
	b.Helper()
	return b.All("vpn.claim_jobs", desk.ClaimArgs(holder, limit))
}

// of is the arguments that a claimed job's next call needs.
func of(job Row, last string, value any) A {
	return A{"p_job_id": job["job_id"], "p_lease_token": job["lease_token"], last: value}
}

func TestClaimJobs(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Credit(bert, 50000)
	b.Buy(anna, "basic", 1, "1")
	b.Buy(bert, "plus", 1, "1")
	b.Buy(anna, "plus", 1, "2")
	anna1, bert1 := b.subscription(anna), b.subscription(bert)

	claimed := b.jobs("w", 10)
	require.Len(t, claimed, 2, "one per user at a time")
	require.Equal(t, Row{"job_id": claimed[0]["job_id"], "telegram_id": anna, "action": "add",
		"vpn_uuid": anna1["vpn_uuid"], "tariff": "plus", "expires_at": anna1["expires_at"], "attempt": 1,
		"lease_token": claimed[0]["lease_token"], "device_limit": 10, "correlation_id": nil, "node": nil}, claimed[0])
	require.Equal(t, Row{"telegram_id": bert, "vpn_uuid": bert1["vpn_uuid"]}, pick(claimed[1], "telegram_id", "vpn_uuid"))
	require.Empty(t, b.jobs("w2", 10), "the first is not done")

	require.Equal(t, Row{"job_id": claimed[0]["job_id"], "is_replay": false},
		b.One("vpn.complete_job", of(claimed[0], "p_key_uri", "vless://a")))
	next := b.jobs("w", 10)
	require.Len(t, next, 1)
	require.Equal(t, anna, next[0]["telegram_id"])
	require.Greater(t, next[0]["job_id"], claimed[0]["job_id"])
}

func TestClaimJobsOldestFirst(t *testing.T) {
	b := setup(t)
	for id := 3000; id < 3010; id++ {
		b.User(id)
		b.Credit(id, 50000)
	}
	order := []any{}
	for _, id := range []int{3007, 3001, 3009, 3003, 3005} {
		b.Buy(id, "basic", 1, "k")
		order = append(order, id)
	}
	users := func(rows []Row) []any {
		list := []any{}
		for _, row := range rows {
			list = append(list, row["telegram_id"])
		}
		return list
	}
	require.Equal(t, order[:2], users(b.jobs("w", 2)))
	require.Equal(t, order[2:], users(b.jobs("w", 10)))
}

func TestCompleteJob(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	b.Buy(anna, "basic", 1, "2")
	first := b.jobs("w", 1)[0]
	b.One("vpn.complete_job", of(first, "p_key_uri", "vless://a"))
	require.Equal(t, Row{"activation": "active", "key_uri": "vless://a"},
		pick(b.subscription(anna), "activation", "key_uri"))
	require.Equal(t, []string{"payment_applied", "payment_applied", "key_ready"}, b.messages(anna))
	for range 2 {
		require.Equal(t, Row{"job_id": first["job_id"], "is_replay": true},
			b.One("vpn.complete_job", of(first, "p_key_uri", "vless://other")))
	}
	require.Equal(t, "vless://a", b.subscription(anna)["key_uri"])

	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	require.Len(t, b.messages(anna), 3, "the same key is not sent again")
	b.Buy(anna, "basic", 1, "3")
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "https://sub/b"))
	require.Equal(t, "https://sub/b", b.subscription(anna)["key_uri"])
	require.Equal(t, "key_ready", b.messages(anna)[4], "a changed one is")
}

func TestLeaseOfAJobIsLost(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	slow := b.jobs("slow", 1)[0]
	require.Empty(t, b.jobs("quick", 1))
	b.owner.Later("30 seconds")
	quick := b.jobs("quick", 1)[0]
	require.Equal(t, Row{"job_id": slow["job_id"], "attempt": 2}, pick(quick, "job_id", "attempt"))
	for function, args := range map[string]A{
		"vpn.complete_job": of(slow, "p_key_uri", "vless://slow"),
		"vpn.fail_job":     of(slow, "p_error", "no"),
		"vpn.release_job":  of(slow, "p_error", "down"),
	} {
		b.Refused("VP001", function, args)
	}
	b.owner.Later("2 minutes")
	b.One("vpn.complete_job", of(quick, "p_key_uri", "vless://quick")) // late, but nobody else has it
	require.Equal(t, "vless://quick", b.subscription(anna)["key_uri"])
	b.Refused("VP001", "vpn.release_job", of(quick, "p_error", "down"))
	require.Equal(t, Row{"job_id": quick["job_id"], "will_retry": false, "next_attempt_at": nil},
		b.One("vpn.fail_job", of(quick, "p_error", "no")), "it is done")
	require.Equal(t, "active", b.subscription(anna)["activation"])
}

func TestFailingJobGivesUpAfterFive(t *testing.T) {
	b := setup(t)
	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "second"})
	b.One("account.revoke_admin", A{"p_telegram_id": bert, "p_note": "left"})
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	for attempt, seconds := range []int{10, 30, 90, 270} {
		job := b.jobs("w", 1)[0]
		require.Equal(t, attempt+1, job["attempt"])
		at = at.Add(time.Duration(seconds) * time.Second)
		require.Equal(t, Row{"job_id": job["job_id"], "will_retry": true, "next_attempt_at": at},
			b.One("vpn.fail_job", of(job, "p_error", "503")))
		require.Equal(t, Row{"job_id": job["job_id"], "will_retry": true, "next_attempt_at": at},
			b.One("vpn.fail_job", of(job, "p_error", "503")), "a repeat after a lost answer")
		b.owner.At(at.Add(-time.Microsecond))
		require.Empty(t, b.jobs("w", 1))
		b.owner.At(at)
	}
	require.Equal(t, "pending", b.subscription(anna)["activation"])
	job := b.jobs("w", 1)[0]
	want := Row{"job_id": job["job_id"], "will_retry": false, "next_attempt_at": nil}
	require.Equal(t, want, b.One("vpn.fail_job", of(job, "p_error", "refused")))
	require.Equal(t, "failed", b.subscription(anna)["activation"])
	told := func() [][]string { return [][]string{b.messages(anna), b.messages(boss), b.messages(bert)} }
	once := [][]string{{"payment_applied", "key_failed"}, {"activation_failed"}, {}}
	require.Equal(t, once, told())
	require.Equal(t, want, b.One("vpn.fail_job", of(job, "p_error", "refused")), "a repeat")
	b.Refused("VP001", "vpn.complete_job", of(job, "p_key_uri", "vless://late"))
	require.Equal(t, once, told())
	require.Equal(t, 1, b.count("audit.event where action = 'vpn.activation_failed' and subject_id = '1001'"))
	require.Empty(t, b.All("vpn.wanted_users", A{}))

	b.Buy(anna, "basic", 1, "2")
	require.Equal(t, "pending", b.subscription(anna)["activation"], "the next purchase tries again")
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	require.Equal(t, "active", b.subscription(anna)["activation"])
}

func TestReleasedJobLosesNoAttempt(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	for range 7 {
		job := b.jobs("w", 1)[0]
		require.Equal(t, 1, job["attempt"])
		at = at.Add(3 * time.Second)
		require.Equal(t, Row{"next_attempt_at": at}, b.One("vpn.release_job", of(job, "p_error", "node is down")))
		require.Equal(t, Row{"next_attempt_at": at}, b.One("vpn.release_job", of(job, "p_error", "node is down")),
			"a repeat after a lost answer")
		require.Empty(t, b.jobs("w", 1))
		b.owner.At(at)
	}
}

func TestRemoveNeverGivesUp(t *testing.T) {
	b := setup(t)
	b.owner.Query(`insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid)
		select $1, 'provision', 'remove', t as due, t as created, gen_random_uuid() from core.now() t`, anna)
	for attempt := 1; attempt < 12; attempt++ {
		job := b.jobs("w", 1)[0]
		require.Equal(t, Row{"action": "remove", "attempt": attempt, "tariff": nil, "device_limit": nil},
			pick(job, "action", "attempt", "tariff", "device_limit"))
		failed := b.One("vpn.fail_job", of(job, "p_error", "no"))
		require.Equal(t, true, failed["will_retry"])
		b.owner.At(failed["next_attempt_at"].(time.Time))
	}
	job := b.jobs("w", 1)[0]
	require.Equal(t, false, b.One("vpn.complete_job", of(job, "p_key_uri", nil))["is_replay"])
	require.Empty(t, b.messages(anna))
}

func TestSupersededIdentity(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	old := b.jobs("w", 1)[0]
	b.owner.At(at.AddDate(0, 2, 0))
	b.Buy(anna, "basic", 1, "2")
	now := b.subscription(anna)
	require.NotEqual(t, old["vpn_uuid"], now["vpn_uuid"])
	b.One("vpn.complete_job", of(old, "p_key_uri", "vless://old"))
	require.Equal(t, now, b.subscription(anna), "the old identity's key is not the new one's")
	require.NotContains(t, b.messages(anna), "key_ready")
	require.Equal(t, now["vpn_uuid"], b.jobs("w", 1)[0]["vpn_uuid"])
}

func TestWantedUsers(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Credit(bert, 50000)
	b.Buy(anna, "basic", 1, "1")
	b.owner.At(at.AddDate(0, 0, 7))
	b.Buy(bert, "plus", 1, "1")
	wanted := func() map[any]any {
		found := map[any]any{}
		for _, row := range b.All("vpn.wanted_users", A{}) {
			require.IsType(t, time.Time{}, row["expires_at"])
			found[row["vpn_uuid"]] = row["device_limit"]
		}
		return found
	}
	ofAnna, ofBert := b.subscription(anna)["vpn_uuid"], b.subscription(bert)["vpn_uuid"]
	require.Equal(t, map[any]any{ofAnna: 3, ofBert: 10}, wanted())
	b.owner.At(at.AddDate(0, 1, 0))
	require.Equal(t, map[any]any{ofBert: 10}, wanted(), "not who has expired")
}

func TestJobThatKillsItsWorker(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "k")
	for attempt := 1; attempt <= 5; attempt++ {
		require.Equal(t, attempt, b.One("vpn.claim_jobs", desk.ClaimArgs("w", 1))["attempt"])
		b.owner.Later(fmt.Sprint(attempt, " hours")) // nothing is heard of it
	}
	require.Empty(t, b.All("vpn.claim_jobs", desk.ClaimArgs("w", 1)))
	require.Equal(t, "failed", b.subscription(anna)["activation"])
	require.Equal(t, []string{"payment_applied", "key_failed"}, b.messages(anna))
	require.Equal(t, []string{"activation_failed"}, b.messages(boss))

	b.One("subscription.revoke", A{"p_admin_id": boss, "p_telegram_id": anna, "p_reason": "r", "p_idempotency_key": "k"})
	for attempt := 1; attempt <= 7; attempt++ {
		job := b.One("vpn.claim_jobs", desk.ClaimArgs("w", 1))
		require.Equal(t, Row{"action": "remove", "attempt": attempt}, pick(job, "action", "attempt"), "a remove never gives up")
		b.owner.Later(fmt.Sprint(6+attempt, " hours"))
	}
}
