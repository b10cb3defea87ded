package contract_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func TestApprove(t *testing.T) {
	b := setup(t)
	b.admins()
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.request(anna, 60000, "k")
	first := b.One("withdrawal.approve", decided(boss, id))
	require.Equal(t, Row{"withdrawal_id": id, "status": "approved", "approvals": 1, "is_replay": false}, first)
	require.Equal(t, money(40000, 0), b.wallet(anna))
	require.Equal(t, Row{"status": "approved", "ended_at": at, "ended_by": boss, "reason": nil, "requisites": sealed,
		"requisites_purge_at": at.AddDate(0, 0, 90)}, b.withdrawalRow(id))
	require.Equal(t, []string{"withdrawal_approved"}, b.messages(anna))
	require.Equal(t, 60000, b.owner.Value("select amount_kopecks from outbox.task where name = 'withdrawal_approved'"))
	require.Equal(t, Row{"debit_account": "held", "credit_account": "payout", "reason": "withdrawal_payout",
		"amount_kopecks": 60000, "actor_id": boss}, b.owner.Query(`select debit_account::text, credit_account::text,
		reason::text, amount_kopecks::bigint, actor_id from ledger.transfer order by transfer_id desc limit 1`)[0])

	first["is_replay"] = true
	require.Equal(t, first, b.One("withdrawal.approve", decided(boss, id)))
	for function, args := range map[string]A{"withdrawal.approve": decided(second, id), "withdrawal.reject": rejected(second, id),
		"withdrawal.cancel": cancelled(anna, id)} {
		detail := b.Refused("WD002", function, args).Detail
		require.Regexp(t, "withdrawal_id .* was approved by 1 at 2027-03-05 ", detail)
	}
	b.Refused("WD002", "withdrawal.reject", rejected(boss, id))
	require.Equal(t, []string{"withdrawal.request 1001", "withdrawal.approve 1"}, b.audited(id))
	require.Empty(t, b.waiting(boss))
}

// audited are the audit entries about a withdrawal: action and actor.
func (b *bundle) audited(id int) []string {
	b.Helper()
	list := []string{}
	for _, row := range b.Query("select action, actor_id from audit.event where subject_id = $1 order by occurred_at, action desc",
		"withdrawal:"+strconv.Itoa(id)) {
		list = append(list, row["action"].(string)+" "+strconv.Itoa(row["actor_id"].(int)))
	}
	return list
}

func TestD10FourEyes(t *testing.T) {
	b := setup(t)
	b.admins()
	b.Credit(anna, 2*fourEye)
	id := b.request(anna, fourEye, "k")
	first := b.One("withdrawal.approve", decided(boss, id))
	require.Equal(t, Row{"withdrawal_id": id, "status": "pending", "approvals": 1, "is_replay": false}, first)
	require.Equal(t, money(desk.Rich+fourEye, fourEye), b.wallet(anna))
	first["is_replay"] = true
	require.Equal(t, first, b.One("withdrawal.approve", decided(boss, id)), "counted once")
	require.Equal(t, []any{1, 2}, []any{b.waiting(boss)[0]["approvals"], b.waiting(boss)[0]["approvals_needed"]})
	require.Empty(t, b.messages(anna))

	last := b.One("withdrawal.approve", decided(second, id))
	require.Equal(t, Row{"withdrawal_id": id, "status": "approved", "approvals": 2, "is_replay": false}, last)
	last["is_replay"] = true
	require.Equal(t, last, b.One("withdrawal.approve", decided(second, id)))
	require.Equal(t, first, b.One("withdrawal.approve", decided(boss, id)), "what this admin was answered first")
	b.Refused("WD002", "withdrawal.approve", decided(third, id))
	require.Equal(t, money(desk.Rich+fourEye, 0), b.wallet(anna))

	below := b.request(anna, fourEye-1, "below")
	require.Equal(t, "approved", b.One("withdrawal.approve", decided(boss, below))["status"])
}

func TestApprovalsOfFormerAdminsDoNotCount(t *testing.T) {
	b := setup(t)
	b.admins()
	b.Credit(anna, fourEye)
	id := b.request(anna, fourEye, "k")
	b.One("withdrawal.approve", decided(second, id))
	b.One("account.revoke_admin", A{"p_telegram_id": second, "p_note": "left"})
	b.Refused("US003", "withdrawal.approve", decided(second, id))
	b.Refused("US003", "withdrawal.reject", rejected(second, id))
	b.Refused("US003", "withdrawal.list_pending", A{"p_admin_id": second, "p_limit": 1})
	require.Equal(t, 0, b.waiting(boss)[0]["approvals"])
	require.Equal(t, Row{"status": "pending", "approvals": 1}, pick(b.One("withdrawal.approve", decided(boss, id)), "status", "approvals"))
	require.Equal(t, Row{"status": "approved", "approvals": 2}, pick(b.One("withdrawal.approve", decided(third, id)), "status", "approvals"))
}

func TestNobodyApprovesTheirOwn(t *testing.T) {
	b := setup(t)
	b.admins()
	b.Credit(boss, least)
	id := b.request(boss, least, "k")
	b.Refused("WD005", "withdrawal.approve", decided(boss, id))
	_, err := b.owner.TryQuery(`insert into withdrawal.approval values ($1, $2, $1, core.now(), 'approved', 1)`, boss, id)
	require.Equal(t, "23514", desk.Code(err), "the table says so, too")
	require.Equal(t, money(0, least), b.wallet(boss))
	require.Equal(t, "rejected", b.One("withdrawal.reject", rejected(boss, id))["status"], "but may give it up")
}

func TestReject(t *testing.T) {
	b := setup(t)
	b.admins()
	id := b.request(anna, 60000, "k")
	first := b.One("withdrawal.reject", rejected(boss, id))
	require.Equal(t, Row{"withdrawal_id": id, "status": "rejected", "is_replay": false}, first)
	require.Equal(t, money(desk.Rich, 0), b.wallet(anna))
	require.Equal(t, []string{"withdrawal_rejected"}, b.messages(anna))
	require.Equal(t, Row{"amount_kopecks": 60000, "arguments": map[string]any{"reason": "no such card"}},
		b.owner.Query("select amount_kopecks, arguments from outbox.task where name = 'withdrawal_rejected'")[0])
	first["is_replay"] = true
	require.Equal(t, first, b.One("withdrawal.reject", rejected(boss, id)))
	for function, args := range map[string]A{"withdrawal.reject": rejected(second, id), "withdrawal.approve": decided(boss, id),
		"withdrawal.cancel": cancelled(anna, id)} {
		require.Contains(t, b.Refused("WD002", function, args).Detail, "was rejected by 1 at")
	}
	require.Equal(t, []string{"withdrawal.request 1001", "withdrawal.reject 1"}, b.audited(id))
	require.Equal(t, []Row{{"withdrawal_id": id, "status": "rejected", "amount_kopecks": 60000, "reason": "no such card"}},
		b.latest(anna))
}

// latest is withdrawal.latest without the times.
func (b *bundle) latest(id int) []Row {
	b.Helper()
	rows := b.All("withdrawal.latest", A{"p_telegram_id": id, "p_limit": 10})
	for _, row := range rows {
		delete(row, "requested_at")
		delete(row, "ended_at")
	}
	return rows
}

func TestApprovedByOneAndRejectedByAnother(t *testing.T) {
	b := setup(t)
	b.admins()
	b.Credit(anna, fourEye)
	id := b.request(anna, fourEye, "k")
	first := b.One("withdrawal.approve", decided(boss, id))
	b.One("withdrawal.reject", rejected(second, id))
	first["is_replay"] = true
	require.Equal(t, first, b.One("withdrawal.approve", decided(boss, id)), "a repeat changes nothing")
	b.Refused("WD002", "withdrawal.approve", decided(third, id))
	require.Equal(t, money(desk.Rich+fourEye, 0), b.wallet(anna))
}

func TestCancel(t *testing.T) {
	b := setup(t)
	id := b.request(anna, 60000, "k")
	b.Refused("WD001", "withdrawal.cancel", cancelled(bert, id))
	b.owner.Query("update account.account set is_blocked = true where telegram_id = $1", anna)
	first := b.One("withdrawal.cancel", cancelled(anna, id))
	require.Equal(t, Row{"withdrawal_id": id, "status": "cancelled", "is_replay": false}, first)
	first["is_replay"] = true
	require.Equal(t, first, b.One("withdrawal.cancel", cancelled(anna, id)))
	require.Equal(t, money(desk.Rich, 0), b.wallet(anna))
	require.Empty(t, b.messages(anna))
	b.Refused("WD002", "withdrawal.approve", decided(boss, id))
	b.Refused("WD002", "withdrawal.reject", rejected(boss, id))
	require.Equal(t, []string{"withdrawal.request 1001", "withdrawal.cancel 1001"}, b.audited(id))
}
