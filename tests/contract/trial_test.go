package contract_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func TestTrial(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 26, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	link := "ref_" + b.profile(bert)["referral_code"].(string)
	b.One("account.register", start(2000, link))
	first := b.trial(2000, "k")
	require.Equal(t, Row{"expires_at": at.AddDate(0, 0, 3), "is_replay": false}, first)
	now := b.subscription(2000)
	require.Equal(t, Row{"status": "trial", "tariff": "basic", "activation": "pending", "auto_renew": false},
		pick(now, "status", "tariff", "activation", "auto_renew"))
	require.Equal(t, [][]any{{"add", now["vpn_uuid"]}}, b.nodeJobs(2000))
	require.Equal(t, []string{"referral_joined", "referral_trial"}, b.messages(bert))
	require.Equal(t, 1, b.count("audit.event where action = 'subscription.start_trial' and actor_id = 2000"))

	b.owner.At(at.Add(time.Hour))
	require.Equal(t, Row{"expires_at": at.AddDate(0, 0, 3), "is_replay": true}, b.trial(2000, "k"))
	b.Refused("SU002", "subscription.start_trial", A{"p_telegram_id": 2000, "p_idempotency_key": "k2"})
	b.owner.At(at.AddDate(1, 0, 0))
	b.Refused("SU002", "subscription.start_trial", A{"p_telegram_id": 2000, "p_idempotency_key": "k2"})
	require.Equal(t, true, b.trial(2000, "k")["is_replay"])
	require.Len(t, b.messages(bert), 2, "told once")
}

func TestTrialIsForUsersWithoutSubscription(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	args := A{"p_telegram_id": anna, "p_idempotency_key": "k"}
	b.Buy(anna, "plus", 1, "1")
	b.Refused("SU003", "subscription.start_trial", args)
	b.One("subscription.grant_time", grant(bert, "basic", "1 day", "g"))
	b.Refused("SU003", "subscription.start_trial", args.With("p_telegram_id", bert))
	b.User(2000)
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": 2000, "p_reason": "r"})
	b.Refused("US002", "subscription.start_trial", args.With("p_telegram_id", 2000))

	old := b.subscription(anna)["vpn_uuid"]
	b.owner.At(at.AddDate(0, 1, 0)) // over, though no worker has noticed yet
	b.trial(anna, "k")
	now := b.subscription(anna)["vpn_uuid"]
	require.NotEqual(t, old, now)
	require.Equal(t, [][]any{{"add", old}, {"add", now}, {"remove", old}}, b.nodeJobs(anna), "the old key does not stay")
}

func TestTrialLengthIsASetting(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.One("ops.set_setting", A{"p_name": "trial_days", "p_value": 1})
	b.owner.Query("update billing.tariff set is_on_sale = tariff = 'plus'")
	ctx := context.Background()
	tx, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	d := b.On(t, tx)
	d.Query("set local timezone = 'Europe/Berlin'") // a day of 23 hours
	require.Equal(t, at.Add(24*time.Hour), d.One("subscription.start_trial",
		A{"p_telegram_id": bert, "p_idempotency_key": "k"})["expires_at"])
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, "plus", b.subscription(bert)["tariff"], "the lowest that is on sale")
}

func TestGrant(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 26, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	want := Row{"expires_at": at.AddDate(0, 0, 7), "is_replay": false}
	require.Equal(t, want, b.One("subscription.grant_time", grant(bert, "basic", "7 days", "g")))
	now := b.subscription(bert)
	require.Equal(t, Row{"status": "active", "tariff": "basic", "activation": "pending"},
		pick(now, "status", "tariff", "activation"))
	require.Equal(t, [][]any{{"add", now["vpn_uuid"]}}, b.nodeJobs(bert))
	require.Equal(t, 1, b.count(`audit.event where action = 'subscription.grant_time' and actor_id = 1
		and subject_id = '1002' and details ->> 'reason' = 'sorry'`))
	message := b.claim(1)[0]
	require.Equal(t, "time_granted", message["template"])
	require.Subset(t, message["arguments"], map[string]any{"tariff": "basic", "expires_at": "2027-04-02T10:00:00+00:00"})

	b.owner.At(at.Add(time.Hour))
	require.Equal(t, Row(A(want).With("is_replay", true)), b.One("subscription.grant_time", grant(bert, "basic", "168 hours", "g")))
	for name, other := range map[string]any{"p_tariff": "plus", "p_duration": "8 days", "p_reason": "other"} {
		b.Refused("ID001", "subscription.grant_time", grant(bert, "basic", "7 days", "g").With(name, other))
	}
	b.One("account.grant_admin", A{"p_telegram_id": anna, "p_note": "second"})
	b.Refused("ID001", "subscription.grant_time", grant(bert, "basic", "7 days", "g").With("p_admin_id", anna))
	require.Equal(t, at.AddDate(0, 0, 8), b.One("subscription.grant_time", grant(bert, "basic", "1 day", "g2"))["expires_at"],
		"from the end in force")
	require.Equal(t, now["vpn_uuid"], b.subscription(bert)["vpn_uuid"])
}

func TestGrantAddsToWhatIsThere(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 26, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	period := func(id int) any {
		return b.owner.Value("select period::text from subscription.subscription where telegram_id = $1", id)
	}
	b.trial(bert, "t")
	b.owner.At(at.Add(time.Hour))
	require.Equal(t, at.AddDate(0, 0, 4), b.One("subscription.grant_time", grant(bert, "basic", "1 day", "g"))["expires_at"],
		"a grant does not replace a trial")
	require.Equal(t, "grant", period(bert))
	require.Equal(t, "active", b.subscription(bert)["status"])

	b.Buy(anna, "basic", 1, "1")
	end := b.Ends(anna)
	require.Equal(t, end.Add(90*time.Minute),
		b.One("subscription.grant_time", grant(anna, "basic", "90 minutes", "g"))["expires_at"])
	require.Equal(t, "paid", period(anna))
	// 31 days and 90 minutes of basic, in seconds, as plus.
	left := int64((31*24*time.Hour + 90*time.Minute) / time.Second)
	require.Equal(t, at.Add(time.Hour).Add(time.Duration(left*desk.Basic1/desk.Plus1)*time.Second).AddDate(0, 0, 1),
		b.One("subscription.grant_time", grant(anna, "plus", "1 day", "up"))["expires_at"], "converted as at a purchase")

	b.owner.At(b.Ends(anna))
	b.One("subscription.grant_time", grant(anna, "basic", "10 minutes", "after"))
	require.Equal(t, "grant", period(anna), "what is over is not in force")
}

func TestGrantDaysAreOf24Hours(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC)
	b.owner.At(at)
	ctx := context.Background()
	tx, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	d := b.On(t, tx)
	d.Query("set local timezone = 'Europe/Berlin'") // its clock changes in the night
	require.Equal(t, at.Add(24*time.Hour), d.One("subscription.grant_time", grant(bert, "basic", "1 day", "g"))["expires_at"])
	require.Equal(t, true, d.One("subscription.grant_time", grant(bert, "basic", "1 day", "g"))["is_replay"])
	require.NoError(t, tx.Commit(ctx))
}

func TestRevoke(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Refused("SU001", "subscription.revoke", revoke(anna, "r"))
	b.Buy(anna, "plus", 1, "1")
	b.autoRenew(anna, true)
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	id := b.subscription(anna)["vpn_uuid"]
	at = at.Add(time.Hour)
	b.owner.At(at)
	require.Equal(t, Row{"expires_at": at, "is_replay": false}, b.One("subscription.revoke", revoke(anna, "r")))
	require.Equal(t, Row{"status": "expired", "tariff": "plus", "expires_at": at, "auto_renew": false,
		"activation": "none", "vpn_uuid": id, "key_uri": nil}, b.subscription(anna))
	require.Equal(t, []any{"remove", id}, b.nodeJobs(anna)[1])
	require.Equal(t, []string{"payment_applied", "key_ready", "subscription_revoked"}, b.messages(anna))
	require.Equal(t, 1, b.count("audit.event where action = 'subscription.revoke' and details ->> 'reason' = 'fraud'"))

	b.owner.At(at.Add(time.Hour))
	require.Equal(t, Row{"expires_at": at, "is_replay": true}, b.One("subscription.revoke", revoke(anna, "r")))
	b.Refused("ID001", "subscription.revoke", revoke(anna, "r").With("p_reason", "other"))
	b.Refused("SU001", "subscription.revoke", revoke(anna, "r2"))
	require.Len(t, b.nodeJobs(anna), 2)

	b.Buy(anna, "basic", 1, "2")
	require.NotEqual(t, id, b.subscription(anna)["vpn_uuid"], "what begins again has a new identity")
	require.Len(t, b.nodeJobs(anna), 3)
	require.Equal(t, Row{"expires_at": at, "is_replay": true}, b.One("subscription.revoke", revoke(anna, "r")))
}

func TestSetAutoRenew(t *testing.T) {
	b := setup(t)
	b.Refused("SU001", "subscription.set_auto_renew", A{"p_telegram_id": anna, "p_is_on": true})
	b.Buy(anna, "basic", 1, "1")
	require.Equal(t, false, b.subscription(anna)["auto_renew"], "off by default")
	for _, isOn := range []bool{true, true, false, false} {
		b.autoRenew(anna, isOn)
		require.Equal(t, isOn, b.subscription(anna)["auto_renew"])
		require.Equal(t, isOn, b.owner.Value("select renew_check_at is not null from subscription.subscription"))
	}
	require.Equal(t, 2, b.count("audit.event where action = 'subscription.set_auto_renew'"), "each change once")
}
