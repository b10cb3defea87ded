package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPurgeDue(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Credit(bert, 100001)
	purge := func() any { return b.One("withdrawal.purge_due", batch(nil, 10))["purged"] }
	id := b.request(anna, least, "k")
	waits := b.request(bert, least, "k")
	b.User(2000)
	b.Credit(2000, least)
	b.One("withdrawal.draft", wish(2000, least, "k"))
	b.owner.At(at.Add(15*time.Minute - time.Microsecond))
	require.Equal(t, 0, purge())
	b.owner.At(at.Add(15 * time.Minute))
	require.Equal(t, 1, purge(), "a draft that can no longer be submitted")
	b.One("withdrawal.approve", decided(boss, id))
	b.owner.At(at.Add(15*time.Minute).AddDate(0, 0, 90).Add(-time.Microsecond))
	require.Equal(t, 0, purge())
	require.Equal(t, sealed, b.withdrawalRow(id)["requisites"])
	b.owner.At(at.Add(15*time.Minute).AddDate(0, 0, 90))
	require.Equal(t, 1, purge())
	require.Equal(t, 0, purge())
	require.Nil(t, b.withdrawalRow(id)["requisites"])
	require.Equal(t, sealed, b.withdrawalRow(waits)["requisites"], "a pending one needs them")
	require.Equal(t, 2, b.count("audit.event where action = 'withdrawal.purge_due'"))
}

func TestPurgeDueGoesOn(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("Anna's requisites cannot be removed")
	b.Credit(bert, least)
	for _, id := range []int{anna, bert} {
		b.One("withdrawal.cancel", cancelled(id, b.request(id, least, "k")))
	}
	b.script("alter table withdrawal.withdrawal add constraint poison check (telegram_id <> 1001 or requisites is not null) not valid")
	b.owner.Later("90 days")
	require.Equal(t, Row{"purged": 1}, b.One("withdrawal.purge_due", batch(nil, 10)))
	require.Equal(t, []Row{{"subject": "withdrawal.purge_due telegram_id:1001"}},
		b.Query("select subject from ops.reconcile()"))
	epoch := b.One("ops.acquire_lease", lease("withdrawal.purge_due", "one", "30 seconds"))["epoch"].(int)
	b.Refused("OP002", "withdrawal.purge_due", batch(epoch+1, 10))
}

func TestRequisitesAreNowhereElse(t *testing.T) {
	b := setup(t)
	const secret = "v1:UkVRVUlTSVRFUw=="
	plain := "4111111111111111"
	refusal := b.Refused("22023", "withdrawal.request", wish(anna, least, "k").With("p_requisites", plain))
	require.NotContains(t, refusal.Error()+refusal.Detail+refusal.Hint, plain)
	draft := b.One("withdrawal.draft", wish(anna, least, "k").With("p_requisites", secret))["draft_id"]
	id := b.One("withdrawal.submit", A{"p_telegram_id": anna, "p_draft_id": draft})["withdrawal_id"].(int)
	b.One("withdrawal.approve", decided(boss, id))
	for _, table := range []string{"audit.entry", "outbox.task", "ledger.transfer", "withdrawal.draft"} {
		require.Equal(t, 0, b.count(table+" x where strpos(x::text, $1) > 0", secret), table)
	}
	require.Equal(t, 1, b.count("withdrawal.withdrawal x where strpos(x::text, $1) > 0", secret))
}

func TestReconcileFindsFaultsOfWithdrawals(t *testing.T) {
	b := setup(t)
	b.admins()
	b.Credit(anna, fourEye+4*least)
	names := map[string]any{
		"large":     b.request(anna, fourEye, "large"),
		"cancelled": 0, "rejected": 0, "pending": 0,
	}
	b.One("withdrawal.approve", decided(boss, names["large"].(int)))
	b.One("withdrawal.approve", decided(second, names["large"].(int)))
	names["cancelled"] = b.request(anna, least, "c")
	b.One("withdrawal.cancel", cancelled(anna, names["cancelled"].(int)))
	b.Credit(bert, 2*least)
	names["rejected"] = b.request(bert, least, "r")
	b.One("withdrawal.reject", rejected(boss, names["rejected"].(int)))
	names["pending"] = b.request(anna, least, "p")
	b.finds(names, []fault{
		{"held and no withdrawal", "delete from withdrawal.withdrawal where withdrawal_id = {pending}",
			[]string{"held_is_pending_withdrawals " + ofAnna, "withdrawal_is_booked withdrawal:{pending}"}},
		{"held otherwise than asked", "update withdrawal.withdrawal set amount_kopecks = 50001 where withdrawal_id = {pending}",
			[]string{"held_is_pending_withdrawals " + ofAnna, "withdrawal_is_booked withdrawal:{pending}"}},
		{"held from nowhere", `
			insert into ledger.transfer (telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
			  available_kopecks, held_kopecks, debt_kopecks, created_at)
			values (5, 1, 'adjustment', 'held', 'admin_credit', 7, 0, 7, 0, core.now());
			update wallet.wallet set held_kopecks = 7, version = 1 where telegram_id = 5`,
			[]string{"held_is_pending_withdrawals telegram_id:5"}},
		{"paid out and returned", `update ledger.transfer set withdrawal_id = {large}
			where withdrawal_id = {cancelled} and reason = 'withdrawal_return'`,
			[]string{"withdrawal_is_booked withdrawal:{cancelled}", "withdrawal_is_booked withdrawal:{large}"}},
		{"approved and not paid out", `update withdrawal.withdrawal set status = 'cancelled', approvals_needed = null,
			ended_by = 1001 where withdrawal_id = {large}`, []string{"withdrawal_is_booked withdrawal:{large}"}},
		{"a movement without its withdrawal", "update ledger.transfer set withdrawal_id = null where withdrawal_id = {rejected}",
			[]string{"withdrawal_is_booked withdrawal:0", "withdrawal_is_booked withdrawal:{rejected}"}},
		{"one approval too few", "delete from withdrawal.approval where admin_id = 1",
			[]string{"withdrawal_is_approved_enough withdrawal:{large}"}},
		{"approved by somebody else", "update withdrawal.withdrawal set ended_by = 6 where withdrawal_id = {large}",
			[]string{"withdrawal_is_approved_enough withdrawal:{large}"}},
		{"cancelled by somebody else", "update withdrawal.withdrawal set ended_by = 1 where withdrawal_id = {cancelled}",
			[]string{"withdrawal_is_ended_by_whom_it_says withdrawal:{cancelled}"}},
		{"rejected by nobody", "update withdrawal.withdrawal set ended_by = null where withdrawal_id = {rejected}",
			[]string{"withdrawal_is_ended_by_whom_it_says withdrawal:{rejected}"}},
		{"about to lose its requisites", "update withdrawal.withdrawal set requisites_purge_at = core.now() where withdrawal_id = {pending}",
			[]string{"withdrawal_is_ended_by_whom_it_says withdrawal:{pending}"}},
	})
}
