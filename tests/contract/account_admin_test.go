package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func discount(id int, percent, until any) A {
	return A{"p_admin_id": boss, "p_telegram_id": id, "p_percent": percent, "p_expires_at": until}
}

func TestBlock(t *testing.T) {
	b := setup(t)
	args := A{"p_admin_id": boss, "p_telegram_id": anna, "p_reason": "fraud"}
	id := b.Open(anna, "basic", 1, "k")
	b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "admin_actions", "p_is_on": false})
	for range 2 {
		require.Equal(t, Row{"telegram_id": anna, "is_blocked": true, "is_replay": false}, b.One("account.block", args))
	}
	b.Refused("OP003", "account.unblock", args)
	require.Equal(t, true, b.profile(anna)["is_blocked"])
	b.Refused("US002", "billing.pay_from_balance", desk.Mine(anna, id))
	b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "admin_actions", "p_is_on": true})
	for range 2 {
		require.Equal(t, Row{"telegram_id": anna, "is_blocked": false, "is_replay": false}, b.One("account.unblock", args.With("p_reason", "sorry")))
	}
	b.Pay(anna, id)
	require.Equal(t, []Row{{"action": "account.block", "reason": "fraud"}, {"action": "account.unblock", "reason": "sorry"}},
		b.Query(`select action, details ->> 'reason' as reason from audit.event
			where actor_id = 1 and subject_id = '1001' and action like 'account.%block' order by occurred_at`), "each change once")
}

func TestAdminsMayBlockEachOther(t *testing.T) {
	b := setup(t)
	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "second"})
	b.One("account.block", A{"p_admin_id": bert, "p_telegram_id": boss, "p_reason": "r"})
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": bert, "p_reason": "r"})
	require.Equal(t, true, b.profile(boss)["is_admin"], "rights are another matter: account.revoke_admin")
}

func TestVIPAndPersonalDiscount(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	vip := func(isVIP bool) Row {
		return b.One("account.set_vip", A{"p_admin_id": boss, "p_telegram_id": anna, "p_is_vip": isVIP})
	}
	price := func(kind string, percent, kopecks int) {
		t.Helper()
		require.Equal(t, Row{"discount_kind": kind, "discount_percent": percent, "price_kopecks": kopecks},
			pick(b.One("billing.quote", quoted(anna, "basic", 1)), "discount_kind", "discount_percent", "price_kopecks"))
	}
	percent := func(n int) Row { return Row{"telegram_id": anna, "discount_percent": n, "is_replay": false} }

	for range 2 {
		require.Equal(t, percent(30), vip(true))
	}
	price("vip", 30, 10430)
	require.Equal(t, percent(30), b.One("account.set_discount", discount(anna, 20, nil)), "the largest wins")
	require.Equal(t, percent(50), b.One("account.set_discount", discount(anna, 50, at.Add(time.Hour))))
	price("personal", 50, 7450)
	for range 2 {
		require.Equal(t, percent(50), vip(false))
	}
	b.owner.At(at.Add(time.Hour))
	price("none", 0, desk.Basic1)
	b.Refused("22023", "account.set_discount", discount(anna, 50, at.Add(time.Hour)))
	require.Equal(t, percent(99), b.One("account.set_discount", discount(anna, 99, nil)))
	price("personal", 99, 149)
	for _, none := range []any{0, nil} {
		require.Equal(t, percent(0), b.One("account.set_discount", discount(anna, none, nil)))
	}
	price("none", 0, desk.Basic1)
	require.Equal(t, []Row{{"action": "account.set_discount", "n": 4}, {"action": "account.set_vip", "n": 2}},
		b.Query(`select action, count(*) as n from audit.event where actor_id = 1 and subject_id = '1001'
			and action like 'account.set%' group by action order by action`), "each change once")
}

// TestDraftsAreDoneOnce: what was changed since a draft was done is not undone by another press of its button.
func TestDraftsAreDoneOnce(t *testing.T) {
	b := setup(t)
	b.User(second)
	b.One("account.grant_admin", A{"p_telegram_id": second, "p_note": "one more"})
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	args := A{"p_admin_id": boss, "p_telegram_id": anna}
	reason := args.With("p_reason", "r")
	for action, test := range map[string]struct {
		do, undo A
		undoing  string
		seen     string
		is       any
	}{
		"account.set_vip":      {args.With("p_is_vip", true), args.With("p_is_vip", false), "account.set_vip", "is_vip", false},
		"account.set_discount": {discount(anna, 20, nil), discount(anna, 7, nil), "account.set_discount", "personal_percent", 7},
		"account.block":        {reason, reason, "account.unblock", "is_blocked", false},
		"account.unblock":      {reason, reason, "account.block", "is_blocked", true},
	} {
		name := strings.TrimPrefix(action, "account.")
		draft := b.One("account.draft_action", drafted(name, "{}", action))["draft_id"]
		other := b.One("account.draft_action", drafted("other", "{}", action+" other"))["draft_id"]
		late := b.One("account.draft_action", drafted(name, "{}", action+" late"))["draft_id"]
		if name == "unblock" {
			b.One("account.block", reason)
		}
		for _, wrong := range []any{other, unknown} {
			b.Refused("US004", action, test.do.With("p_draft_id", wrong))
		}
		b.Refused("US004", action, test.do.With("p_draft_id", draft).With("p_admin_id", second))
		require.Equal(t, false, b.One(action, test.do.With("p_draft_id", draft))["is_replay"])
		b.One(test.undoing, test.undo)
		require.Equal(t, true, b.One(action, test.do.With("p_draft_id", draft))["is_replay"])
		require.Equal(t, test.is, b.One("account.card", args)[test.seen], action)
		b.owner.At(at.Add(15 * time.Minute))
		b.Refused("US004", action, test.do.With("p_draft_id", late))
		require.Equal(t, true, b.One(action, test.do.With("p_draft_id", draft))["is_replay"], "for ever")
		require.Equal(t, test.is, b.One("account.card", args)[test.seen], action)
		b.owner.At(at)
	}
}
