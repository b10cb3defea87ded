package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// TestAutoRenewalOfWhatIsOver: an expired subscription has nothing to renew, however its auto-renewal is touched, and the
// books are right without a worker's help.
func TestAutoRenewalOfWhatIsOver(t *testing.T) {
	b := setup(t)
	end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), 0)
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{0, 1}, b.renewal())
	for _, at := range []time.Time{end, end.Add(time.Hour)} {
		b.owner.At(at)
		b.Credit(2000, 100+at.Hour())
		require.Empty(t, b.Query("select * from ops.reconcile()"), "a deposit")
		b.autoRenew(2000, false)
		b.autoRenew(2000, true)
		require.Empty(t, b.Query("select * from ops.reconcile()"), "switched on")
		require.Equal(t, 0, b.count("subscription.subscription where renew_check_at is not null"))
		b.expire()
	}
	b.Credit(2000, desk.Rich)
	b.Buy(2000, "basic", 1, "again")
	b.owner.At(b.Ends(2000).Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal(), "a new period renews itself again")
}

// TestOneReferrerWithoutAWalletDoesNotStopTheOthers: what a query must find and does not is no data error to Postgres.
func TestOneReferrerWithoutAWalletDoesNotStopTheOthers(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("Anna's wallet is not there")
	b.invited(anna, 2000, desk.Rich)
	b.invited(bert, 2001, desk.Rich)
	first := b.Buy(2000, "basic", 1, "k")["purchase_id"]
	require.Equal(t, 1, b.payDue()["paid"])
	b.clawBack(first.(string))
	b.Buy(2000, "basic", 1, "k2")
	b.Buy(2001, "basic", 1, "k")
	b.script("delete from wallet.wallet where telegram_id = 1001")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 1490}, b.payDue())
	require.Equal(t, 1490, b.Available(bert))
	require.Equal(t, 1, b.count("ops.dead where subject = 'telegram_id:1001'"))

	b.One("ops.rebuild_wallet", A{"p_telegram_id": anna})
	b.owner.Later("61 minutes")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 1490}, b.payDue())
	require.Equal(t, desk.Rich+1490, b.Available(anna))
}

// TestAttemptsNeverOverflow: one task that crashes its workers for weeks must not stop everybody's claims.
func TestAttemptsNeverOverflow(t *testing.T) {
	b := setup(t)
	b.Credit(bert, desk.Rich)
	b.Buy(anna, "basic", 1, "k")
	b.Buy(bert, "basic", 1, "k")
	b.receive([2]int{1, 1}, [2]int{2, 2})
	b.owner.Query("update outbox.task set attempt = 32767 where telegram_id = $1", anna)
	b.owner.Query("update inbox.update set attempt = 32767 where update_id = 1")
	jobs := b.jobs("w", 10)
	require.Len(t, jobs, 2)
	require.Equal(t, 32767, jobs[0]["attempt"])
	require.Len(t, b.claim(10), 2)
	require.Len(t, b.take("w", 10), 2)
}

// TestStuckRemoveDoesNotHoldUpANewKey: a remove never gives up, and the node may refuse it for ever; who pays again gets
// the new key all the same.
func TestStuckRemoveDoesNotHoldUpANewKey(t *testing.T) {
	b := setup(t)
	b.owner.At(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC))
	b.Buy(anna, "basic", 1, "1")
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	old := b.subscription(anna)["vpn_uuid"]
	b.owner.At(b.Ends(anna))
	b.expire()
	stuck := b.jobs("w", 1)[0]
	require.Equal(t, Row{"action": "remove", "vpn_uuid": old}, pick(stuck, "action", "vpn_uuid"))
	b.Buy(anna, "basic", 1, "2")
	require.Empty(t, b.jobs("w", 1), "one at a time")
	again := b.One("vpn.fail_job", of(stuck, "p_error", "500"))["next_attempt_at"].(time.Time)

	add := b.jobs("w", 10)
	require.Len(t, add, 1)
	require.Equal(t, "add", add[0]["action"])
	b.owner.At(again)
	require.Empty(t, b.jobs("w", 10), "still one at a time")
	b.One("vpn.complete_job", of(add[0], "p_key_uri", "vless://b"))
	require.Equal(t, "active", b.subscription(anna)["activation"])
	left := b.jobs("w", 10)
	require.Len(t, left, 1)
	require.Equal(t, Row{"job_id": stuck["job_id"], "action": "remove", "attempt": 2}, pick(left[0], "job_id", "action", "attempt"))
}

// TestReissueNeverRemovesFirst: the old key stays until the new one is there, even while the node refuses that.
func TestReissueNeverRemovesFirst(t *testing.T) {
	b := setup(t)
	b.owner.At(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC))
	b.Buy(anna, "basic", 1, "1")
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	b.One("vpn.reissue", reissue(anna, nil, "r"))
	b.One("vpn.fail_job", of(b.jobs("w", 1)[0], "p_error", "500"))
	require.Empty(t, b.jobs("w", 10))
	b.Buy(anna, "basic", 1, "2")
	require.Empty(t, b.jobs("w", 10), "nor does a later add of the same identity come first")
}

// TestIdentitiesAreNotInTheAuditLog: who has the uuid has the access, and auditors read this for years.
func TestIdentitiesAreNotInTheAuditLog(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	old := b.subscription(anna)["vpn_uuid"]
	b.One("vpn.reissue", reissue(anna, boss, "r"))
	b.One("subscription.revoke", A{"p_admin_id": boss, "p_telegram_id": anna, "p_reason": "r", "p_idempotency_key": "k"})
	for _, secret := range []any{old, b.subscription(anna)["vpn_uuid"], "vless://a"} {
		require.Equal(t, 0, b.count("audit.event e where e::text like '%' || $1 || '%'", secret))
	}
}

// TestReconcileSurvivesSumsAboveAnyPrice: a fault is a row of the answer, not the end of it.
func TestReconcileSurvivesSumsAboveAnyPrice(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("a refund is booked twice")
	b.owner.Query("update billing.tariff_price set list_kopecks = 1000000000000 where tariff = 'basic' and months = 1")
	b.Credit(anna, 1_000_000_000_000)
	id := b.Buy(anna, "basic", 1, "k")["purchase_id"]
	b.One("billing.refund_purchase", refund(boss, id))
	b.owner.Query(`select * from ledger._post($1, 'refund', 'revenue', 'available', 1000000000000, core.now(),
		p_purchase_id => $2)`, anna, id)
	require.Equal(t, []Row{{"check_name": "refund_is_booked"}}, b.Query("select check_name from ops.reconcile()"))
}

// TestFailedRenewalLeavesTheKeyWorking: what is paid for stays among the wanted users when the node refuses only a later
// purchase's job.
func TestFailedRenewalLeavesTheKeyWorking(t *testing.T) {
	b := setup(t)
	b.Credit(anna, 1_000_000)
	b.owner.At(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC))
	b.Buy(anna, "basic", 12, "year")
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	b.Buy(anna, "basic", 1, "more")
	for range 5 {
		failed := b.One("vpn.fail_job", of(b.jobs("w", 1)[0], "p_error", "500"))
		if next, ok := failed["next_attempt_at"].(time.Time); ok {
			b.owner.At(next)
		}
	}
	require.Empty(t, b.jobs("w", 1), "given up")
	require.Equal(t, "active", b.subscription(anna)["activation"])
	require.Len(t, b.All("vpn.wanted_users", A{}), 1)
	require.NotContains(t, b.messages(anna), "key_failed")
	require.Contains(t, b.messages(boss), "activation_failed")
}

// TestABusyUserDoesNotSlowTheQueue: whoever has got very many messages and waits for many more (an admin in an alarm, a
// referrer in a campaign) costs the others nothing. Looking through the finished ones for each takes minutes.
func TestABusyUserDoesNotSlowTheQueue(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("users would take long to register")
	b.script(`insert into outbox.task (telegram_id, kind, name, due_at, created_at, finished_at)
		select g.who, 'message', 'admin_alarm', n.at, n.at, case when g.i <= 150000 then n.at end
		from core.now() n (at),
		     (select 1 as who, i from generate_series(1, 152000) g (i)
		      union all select 10000 + i % 20000, 1 from generate_series(1, 200000) g (i)) g`)
	b.Buy(anna, "basic", 1, "k")
	b.script("analyze outbox.task")
	began := time.Now()
	require.Len(t, b.claim(10), 2, "one of each")
	require.Less(t, time.Since(began), 5*time.Second)
}
