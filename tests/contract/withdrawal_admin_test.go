package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWithdrawalQueue(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.admins()
	var ids []int
	for i := range 5 { // two of them at the same moment
		user := 2000 + i
		b.User(user)
		b.Credit(user, fourEye)
		b.owner.At(at.Add(time.Duration(i/2) * time.Minute))
		ids = append(ids, b.request(user, fourEye, "k"))
	}
	page := func(after any, limit int) []int {
		found := []int{}
		for _, row := range b.All("withdrawal.queue", A{"p_admin_id": boss, "p_after_id": after, "p_limit": limit}) {
			found = append(found, row["withdrawal_id"].(int))
		}
		return found
	}
	require.Equal(t, ids, page(nil, 100))
	require.Equal(t, ids[:2], page(nil, 2))
	require.Equal(t, ids[2:4], page(ids[1], 2))
	require.Empty(t, page(ids[4], 2))
	b.One("withdrawal.reject", rejected(boss, ids[1]))
	b.One("withdrawal.approve", decided(boss, ids[0]))
	require.Equal(t, ids[2:], page(ids[1], 100), "after one that was decided meanwhile")
	row := b.All("withdrawal.queue", A{"p_admin_id": boss, "p_after_id": nil, "p_limit": 1})[0]
	require.Equal(t, Row{"withdrawal_id": ids[0], "telegram_id": 2000, "username": "user_2000", "amount_kopecks": fourEye,
		"requested_at": at, "approvals": 1, "approvals_needed": 2}, row)
}

func TestShownWithdrawal(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.admins()
	b.owner.Query("update account.account set username = 'annie' where telegram_id = 1001")
	b.owner.Query("update account.account set username = 'second' where telegram_id = 5")
	b.Credit(anna, fourEye)
	id := b.request(anna, fourEye, "k")
	show := func(admin int) Row { return b.One("withdrawal.show", decided(admin, id)) }
	require.Equal(t, Row{"withdrawal_id": id, "telegram_id": anna, "username": "annie", "status": "pending",
		"amount_kopecks": fourEye, "requested_at": at, "approvals": 0, "approvals_needed": 2, "approvers": []any{},
		"debt_kopecks": 0, "ended_at": nil, "ended_by": nil, "ended_by_name": nil, "reason": nil,
		"is_own": false, "is_approved_by_you": false}, show(boss))

	b.owner.At(at.Add(time.Minute))
	b.One("withdrawal.approve", decided(boss, id))
	require.Equal(t, Row{"approvals": 1, "is_approved_by_you": true}, pick(show(boss), "approvals", "is_approved_by_you"))
	require.Equal(t, false, show(third)["is_approved_by_you"])
	approver := show(third)["approvers"].([]any)[0].(map[string]any)
	require.Equal(t, map[string]any{"telegram_id": float64(boss), "username": "user_1", "approved_at": approver["approved_at"]}, approver)
	b.owner.At(at.Add(2 * time.Minute))
	b.One("withdrawal.approve", decided(second, id))
	require.Equal(t, Row{"status": "approved", "approvals": 2, "ended_by": second, "ended_by_name": "second",
		"ended_at": at.Add(2 * time.Minute)}, pick(show(boss), "status", "approvals", "ended_by", "ended_by_name", "ended_at"))
	b.One("account.revoke_admin", A{"p_telegram_id": second, "p_note": "left"})
	require.Equal(t, Row{"approvals": 1, "approvals_needed": 2}, pick(show(boss), "approvals", "approvals_needed"))
	b.Refused("US003", "withdrawal.show", decided(second, id))

	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "with a balance"})
	b.Credit(bert, least)
	own := b.request(bert, least, "k")
	require.Equal(t, true, b.One("withdrawal.show", decided(bert, own))["is_own"])
	b.One("withdrawal.reject", rejected(boss, own))
	require.Equal(t, Row{"status": "rejected", "reason": "no such card", "ended_by": boss},
		pick(b.One("withdrawal.show", decided(bert, own)), "status", "reason", "ended_by"))
}

func TestEachLookIsRecorded(t *testing.T) {
	b := setup(t)
	b.admins()
	id := b.request(anna, least, "k")
	want := b.One("withdrawal.show", decided(second, id))
	want["requisites"] = sealed
	for range 2 {
		require.Equal(t, want, b.One("withdrawal.look", decided(second, id)))
	}
	b.Refused("US003", "withdrawal.look", decided(anna, id))
	require.Equal(t, []Row{{"n": 2}}, b.Query(`select count(*) as n from audit.event where action = 'withdrawal.look'
		and actor_id = 5 and subject_id = $1 and strpos(details::text, 'v1:') = 0`, fmt.Sprint("withdrawal:", id)))
	require.Equal(t, 2, b.count("audit.entry where action = 'withdrawal.look'"))

	b.One("withdrawal.approve", decided(boss, id))
	require.Equal(t, sealed, b.One("withdrawal.look", decided(boss, id))["requisites"], "whoever pays needs them")
	b.owner.Later("90 days")
	b.One("withdrawal.purge_due", batch(nil, 10))
	require.Nil(t, b.One("withdrawal.look", decided(boss, id))["requisites"])
}
