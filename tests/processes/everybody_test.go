package processes_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestH4WorkerIsKilledWhileEverybodyIsGivenANewKey kills the worker half way, and stops the next one until another leads.
// Everybody has one new key, which is at the node, and the old one is gone.
func TestH4WorkerIsKilledWhileEverybodyIsGivenANewKey(t *testing.T) {
	b := setup(t)
	b.onlyJob("vpn.reissue_due")
	b.owner.Query("update ops.scheduled_job set is_enabled = true where name = 'vpn.provision'")
	const people = 120
	for id := firstID; id < firstID+people; id++ {
		b.User(id)
		b.One("subscription.start_trial", A{"p_telegram_id": id, "p_idempotency_key": "t"})
	}
	b.One("ops.set_setting", A{"p_name": "reissue_tasks_at_once", "p_value": 16})
	old := map[any]any{}
	for _, row := range b.owner.Query("select telegram_id, vpn_uuid::text as vpn_uuid from subscription.subscription") {
		old[row["telegram_id"]] = row["vpn_uuid"]
	}
	b.One("vpn.reissue_all", A{"p_admin_id": boss, "p_idempotency_key": "all"})
	reached := func(share int) {
		b.until("some more have had their turn", "select r.done >= $1 from vpn.reissue_request r", people*share/100)
	}

	first := b.start("worker")
	reached(20)
	require.NoError(t, first.Process.Signal(syscall.SIGKILL))
	first.end()
	second := b.start("worker")
	reached(40)
	require.NoError(t, second.Process.Signal(syscall.SIGSTOP))
	b.owner.Later("35 seconds") // what the two have had in hand is free
	third := b.start("worker")
	reached(70)
	require.NoError(t, second.Process.Signal(syscall.SIGCONT))
	b.until("everybody has had their turn", "select r.finished_at is not null from vpn.reissue_request r")
	b.owner.Later("70 seconds")
	b.until("the node has done all", "select not exists (select from outbox.task where kind = 'provision' and finished_at is null)")
	second.end()
	third.end()

	require.Equal(t, Row{"done": people, "skipped": 0, "failed": 0}, b.Query("select done, skipped, failed from vpn.show_reissue($1)", boss)[0])
	require.Equal(t, people, b.count("subscription.change where kind = 'reissue' and idempotency_key = 'all:1'"))
	added := b.node.added()
	for _, row := range b.owner.Query("select telegram_id, vpn_uuid::text as vpn_uuid, activation::text as activation from subscription.subscription") {
		require.NotEqual(t, old[row["telegram_id"]], row["vpn_uuid"])
		require.Equal(t, "active", row["activation"])
		require.Contains(t, added, row["vpn_uuid"])
	}
	require.Equal(t, people, b.count("outbox.task where name = 'remove' and outcome = 'done'"))
	b.Reconciled()
}
