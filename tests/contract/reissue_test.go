package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func reissue(id int, admin any, key string) A {
	return A{"p_telegram_id": id, "p_admin_id": admin, "p_idempotency_key": key}
}

func TestReissue(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Refused("SU001", "vpn.reissue", reissue(anna, nil, "k"))
	b.Buy(anna, "basic", 1, "1")
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	old := b.subscription(anna)

	first := b.One("vpn.reissue", reissue(anna, nil, "k"))
	require.Equal(t, false, first["is_replay"])
	require.Equal(t, Row{"status": "active", "tariff": "basic", "expires_at": old["expires_at"], "auto_renew": false,
		"activation": "pending", "vpn_uuid": first["vpn_uuid"], "key_uri": nil}, b.subscription(anna))
	require.Equal(t, [][]any{{"add", old["vpn_uuid"]}, {"add", first["vpn_uuid"]}, {"remove", old["vpn_uuid"]}},
		b.nodeJobs(anna), "the new one first")
	require.Equal(t, 1, b.count("audit.event where action = 'vpn.reissue' and actor_id = 1001"))
	require.Zero(t, b.count("audit.event e where e::text ~ $1", first["vpn_uuid"]), "whoever knows it has access")

	job := b.jobs("w", 1)[0]
	require.Equal(t, Row{"action": "add", "vpn_uuid": first["vpn_uuid"]}, pick(job, "action", "vpn_uuid"))
	require.Empty(t, b.jobs("w", 1), "the old one is not removed before the new one is there")
	b.One("vpn.complete_job", of(job, "p_key_uri", "vless://b"))
	require.Equal(t, "vless://b", b.subscription(anna)["key_uri"])
	require.Equal(t, []string{"payment_applied", "key_ready", "key_ready"}, b.messages(anna))
	require.Equal(t, Row{"action": "remove", "vpn_uuid": old["vpn_uuid"]}, pick(b.jobs("w", 1)[0], "action", "vpn_uuid"))

	require.Equal(t, Row{"vpn_uuid": first["vpn_uuid"], "is_replay": true}, b.One("vpn.reissue", reissue(anna, nil, "k")))
	b.Refused("ID001", "vpn.reissue", reissue(anna, boss, "k"))
	b.owner.At(at.AddDate(0, 1, 0))
	b.Refused("SU001", "vpn.reissue", reissue(anna, nil, "k2"))
	require.Equal(t, true, b.One("vpn.reissue", reissue(anna, nil, "k"))["is_replay"])
}

func TestReissueByAnAdmin(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "1")
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": anna, "p_reason": "r"})
	b.Refused("US002", "vpn.reissue", reissue(anna, nil, "k"))
	require.Equal(t, false, b.One("vpn.reissue", reissue(anna, boss, "k"))["is_replay"])
	require.Equal(t, 1, b.count("audit.event where action = 'vpn.reissue' and actor_id = 1 and subject_id = '1001'"))
	require.Equal(t, 1, b.count("subscription.change where kind = 'reissue' and actor_id = 1"))
	b.Refused("ID001", "vpn.reissue", reissue(anna, nil, "k"))

	b.One("ops.set_feature", A{"p_admin_id": boss, "p_name": "admin_actions", "p_is_on": false})
	b.Refused("OP003", "vpn.reissue", reissue(anna, boss, "k2"))
	b.Refused("US002", "vpn.reissue", reissue(anna, nil, "k3")) // by the user: another switch's business
}

func TestJobOfAStaleIdentityIsARemove(t *testing.T) {
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	for how, makeStale := range map[string]func(b *bundle){
		"reissued": func(b *bundle) { b.One("vpn.reissue", reissue(anna, nil, "k")) },
		"revoked":  func(b *bundle) { b.One("subscription.revoke", revoke(anna, "k")) },
		"over":     func(b *bundle) { b.owner.At(at.AddDate(0, 1, 0)) },
		"ended": func(b *bundle) {
			b.owner.At(at.AddDate(0, 1, 0))
			b.One("subscription.expire_due", batch(nil, 10))
		},
		"bought again": func(b *bundle) {
			b.owner.At(at.AddDate(0, 1, 0))
			b.Buy(anna, "basic", 1, "2")
		},
	} {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			b.owner.At(at)
			b.Buy(anna, "basic", 1, "1")
			stale := b.subscription(anna)["vpn_uuid"]
			late := b.jobs("slow", 1)[0]
			require.Equal(t, "add", late["action"])
			makeStale(b)
			after := b.subscription(anna)
			now := b.owner.Value("select core.now()").(time.Time)
			for attempt := 1; attempt <= 8; attempt++ { // past the five attempts of an add
				failed := b.One("vpn.fail_job", of(late, "p_error", "no"))
				require.Equal(t, true, failed["will_retry"])
				now = now.Add(11 * time.Minute)
				b.owner.At(now)
				late = b.jobs("w", 1)[0]
				require.Equal(t, Row{"action": "remove", "vpn_uuid": stale, "attempt": attempt + 1},
					pick(late, "action", "vpn_uuid", "attempt"))
			}
			before := b.messages(anna)
			b.One("vpn.complete_job", of(late, "p_key_uri", nil))
			require.Equal(t, true, b.One("vpn.complete_job", of(late, "p_key_uri", nil))["is_replay"])
			require.Equal(t, pick(after, "activation", "key_uri", "vpn_uuid"),
				pick(b.subscription(anna), "activation", "key_uri", "vpn_uuid"))
			require.Equal(t, before, b.messages(anna))
			require.NotContains(t, before, "key_failed")
		})
	}
}

func TestF11LateKeyDoesNotReviveWhatHasEnded(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	late := b.jobs("slow", 1)[0]
	b.owner.At(at.AddDate(0, 1, 0))
	b.One("subscription.expire_due", batch(nil, 10))
	b.One("vpn.complete_job", of(late, "p_key_uri", "vless://late"))
	require.Equal(t, Row{"activation": "none", "key_uri": nil}, pick(b.subscription(anna), "activation", "key_uri"))
	require.NotContains(t, b.messages(anna), "key_ready")
	require.Equal(t, "remove", b.jobs("w", 1)[0]["action"], "and the node loses it next")
}
