package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// drafted is the arguments of account.draft_action.
func drafted(action, arguments, key string) A {
	return A{"p_admin_id": boss, "p_action": action, "p_arguments": arguments, "p_idempotency_key": key}
}

func TestDraftedAction(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.User(second)
	b.One("account.grant_admin", A{"p_telegram_id": second, "p_note": "one more"})

	first := b.One("account.draft_action", drafted("credit", `{"amount": 500, "note": "a <b>"}`, "k"))
	require.Equal(t, Row{"draft_id": first["draft_id"], "expires_at": at.Add(15 * time.Minute), "is_replay": false}, first)
	again := b.One("account.draft_action", drafted("credit", `{"note": "a <b>", "amount": 500}`, "k"))
	require.Equal(t, first["draft_id"], again["draft_id"])
	require.Equal(t, true, again["is_replay"])
	b.Refused("ID001", "account.draft_action", drafted("credit", `{"amount": 501, "note": "a <b>"}`, "k"))
	b.Refused("ID001", "account.draft_action", drafted("debit", `{"amount": 500, "note": "a <b>"}`, "k"))
	other := b.One("account.draft_action", drafted("credit", `{"amount": 500}`, "k").With("p_admin_id", second))
	require.NotEqual(t, first["draft_id"], other["draft_id"], "keys are each admin's own")

	show := A{"p_admin_id": boss, "p_draft_id": first["draft_id"]}
	shown := Row{"draft_id": first["draft_id"], "action": "credit", "expires_at": at.Add(15 * time.Minute), "is_expired": false, "drafted_at": at,
		"arguments": map[string]any{"amount": 500.0, "note": "a <b>"}}
	require.Equal(t, shown, b.One("account.show_action", show))
	b.Refused("US004", "account.show_action", show.With("p_admin_id", second))
	b.owner.At(at.Add(15*time.Minute - time.Microsecond))
	require.Equal(t, shown, b.One("account.show_action", show))
	b.owner.At(at.Add(15 * time.Minute))
	shown["is_expired"] = true
	require.Equal(t, shown, b.One("account.show_action", show))

	b.One("account.revoke_admin", A{"p_telegram_id": second, "p_note": "left"})
	b.Refused("US003", "account.show_action", A{"p_admin_id": second, "p_draft_id": other["draft_id"]})
	b.Refused("US003", "account.check_admin", A{"p_admin_id": second})
	require.Equal(t, Row{"telegram_id": boss}, b.One("account.check_admin", A{"p_admin_id": boss}))
}

func TestDashboard(t *testing.T) {
	b := setup(t)
	dashboard := func() Row { return b.One("ops.dashboard", A{"p_admin_id": boss}) }
	require.Equal(t, Row{"pending_withdrawals": 0, "suspended_payments": 0, "waiting_keys": 0, "dead_letters": 0,
		"running_broadcasts": 0, "service_state": "unknown", "features_off": []any{}}, dashboard())

	b.Credit(bert, least)
	b.request(bert, least, "k")
	b.Settle("lost", unknown, 500)
	b.Buy(anna, "basic", 1, "k")
	b.owner.Query("insert into ops.dead (job_name, subject, error, died_at) values ('j', 's', 'e', now())")
	b.broadcast("k", "all")
	b.seen("database", "up", nil)
	b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "trials", "p_is_on": false})
	b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "admin_actions", "p_is_on": false})
	require.Equal(t, Row{"pending_withdrawals": 1, "suspended_payments": 1, "waiting_keys": 1, "dead_letters": 1,
		"running_broadcasts": 1, "service_state": "up", "features_off": []any{"admin_actions", "trials"}}, dashboard(),
		"looked at with all actions switched off, too")

	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	require.Equal(t, 0, dashboard()["waiting_keys"])
}
