package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func (b *bundle) expire() any {
	b.Helper()
	return b.One("subscription.expire_due", batch(nil, 100))["expired"]
}

func TestSubscriptionsExpire(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.User(2000)
	b.Buy(anna, "basic", 1, "1")
	b.autoRenew(anna, true)
	b.trial(bert, "t")
	b.One("subscription.grant_time", grant(2000, "plus", "4 days", "g"))
	ids := map[int]any{}
	for _, id := range []int{anna, bert, 2000} {
		ids[id] = b.subscription(id)["vpn_uuid"]
	}
	b.owner.At(at.AddDate(0, 0, 3).Add(-time.Microsecond))
	require.Equal(t, 0, b.expire())
	b.owner.At(at.AddDate(0, 0, 3))
	require.Equal(t, 1, b.expire())
	require.Equal(t, Row{"status": "expired", "tariff": "basic", "expires_at": at.AddDate(0, 0, 3), "auto_renew": false,
		"activation": "none", "vpn_uuid": ids[bert], "key_uri": nil}, b.subscription(bert))
	b.owner.At(at.AddDate(0, 2, 0))
	require.Equal(t, 2, b.expire())
	require.Equal(t, 0, b.expire())
	require.Equal(t, []string{"trial_ended"}, b.messages(bert))
	require.Equal(t, []string{"time_granted", "subscription_expired"}, b.messages(2000))
	require.Equal(t, []string{"payment_applied", "subscription_expired"}, b.messages(anna))
	for id, uuid := range ids {
		require.Equal(t, [][]any{{"add", uuid}, {"remove", uuid}}, b.nodeJobs(id))
	}
	require.Equal(t, 0, b.count(`subscription.subscription
		where num_nonnulls(expiry_check_at, renew_check_at, reminder_check_at) > 0`))
	require.Equal(t, true, b.subscription(anna)["auto_renew"], "a wish for the next time")
	b.Buy(anna, "basic", 1, "2")
	require.Len(t, b.nodeJobs(anna), 3, "its key is removed already")
}

func TestExpiryLooksAgainAtWhatWasRenewed(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	b.Buy(anna, "basic", 1, "2")
	before := b.subscription(anna)
	b.owner.At(at.AddDate(0, 1, 0))
	require.Equal(t, 0, b.expire())
	require.Equal(t, before, b.subscription(anna))
	require.Equal(t, before["expires_at"], b.owner.Value("select expiry_check_at from subscription.subscription"))
	b.owner.At(at.AddDate(0, 2, 0))
	require.Equal(t, 1, b.expire())
}

func TestPurchaseAfterTheEndRemovesTheOldKey(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	old := b.subscription(anna)["vpn_uuid"]
	job := b.One("vpn.claim_jobs", desk.ClaimArgs("w", 1))
	b.One("vpn.complete_job", A{"p_job_id": job["job_id"], "p_lease_token": job["lease_token"], "p_key_uri": "vless://old"})
	b.owner.At(at.AddDate(0, 1, 0)) // over, and the worker has not been there
	b.Buy(anna, "basic", 1, "2")
	now := b.subscription(anna)["vpn_uuid"]
	require.Nil(t, b.subscription(anna)["key_uri"], "a new identity has no key yet")
	require.Equal(t, [][]any{{"add", old}, {"add", now}, {"remove", old}}, b.nodeJobs(anna))
	require.Equal(t, 0, b.expire())
	require.Equal(t, "active", b.subscription(anna)["status"])
}

// poisons are two ways to make a row of Anna's fail.
func poisons(table string) map[string]string {
	return map[string]string{
		"a trigger that fails": `
			create function billing.poison() returns trigger language plpgsql as $$ begin
			  if new.telegram_id = 1001 then raise exception 'poisoned' using errcode = '22003'; end if;
			  return new;
			end $$;
			create trigger poison before insert or update on ` + table + ` for each row execute function billing.poison()`,
		"a row that breaks a constraint": `
			alter table ` + table + ` add constraint poison check (telegram_id <> 1001) not valid`,
	}
}

// buried demands that a job has given up on Anna alone.
func (b *bundle) buried(job string) {
	b.Helper()
	require.Equal(b, []Row{{"job_name": job, "subject": "telegram_id:1001", "says_why": true}},
		b.Query("select job_name, subject, error <> '' as says_why from ops.dead_letter"))
	require.Equal(b, []Row{{"check_name": "dead_letter", "subject": job + " telegram_id:1001"}},
		b.Query("select check_name, subject from ops.reconcile()"), "and reconcile shows it")
}

func TestF3PoisonedExpiry(t *testing.T) {
	for how, poison := range poisons("subscription.subscription") {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			b.harness.BooksAreWrong("a subscription of Anna's cannot end")
			at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
			b.owner.At(at)
			b.trial(anna, "t")
			b.trial(bert, "t")
			b.script(poison)
			b.owner.At(at.AddDate(0, 0, 3))
			require.Equal(t, 1, b.expire())
			require.Equal(t, Row{"activation": "none"}, pick(b.subscription(bert), "activation"))
			require.Equal(t, Row{"activation": "pending"}, pick(b.subscription(anna), "activation"))
			b.buried("subscription.expire_due")
			require.Equal(t, Row{"expired": 0}, b.One("subscription.expire_due", batch(nil, 1)), "it is left alone for an hour")
		})
	}
}

func TestExpiryTakesAtMostSoMany(t *testing.T) {
	b := setup(t)
	for id := 3000; id < 3005; id++ {
		b.User(id)
		b.trial(id, "t")
	}
	b.owner.Later("73 hours")
	for _, want := range []int{2, 2, 1, 0} {
		require.Equal(t, Row{"expired": want}, b.One("subscription.expire_due", batch(nil, 2)))
	}
}
