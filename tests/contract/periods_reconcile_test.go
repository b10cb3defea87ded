package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func TestReconcileFindsFaultsOfPeriods(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	end := b.subscriber(2000, at, 2*desk.Basic1)
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal())
	b.trial(bert, "t")
	b.owner.Query("select subscription._change(1, 'trial', 'basic', $1, 'trial', $2)", end.AddDate(0, 0, -10), end.AddDate(0, 0, -13))
	require.Equal(t, 1, b.expire())
	renewal := b.owner.Value("select purchase_id from billing.purchase where renews_expires_at is not null")
	names := map[string]any{"renewal": renewal, "end": end.Format(time.RFC3339),
		"first": b.owner.Value("select purchase_id from billing.purchase where renews_expires_at is null"),
		"uuid":  b.subscription(bert)["vpn_uuid"]}
	const of2000, ofBert, ofBoss = "telegram_id:2000", "telegram_id:1002", "telegram_id:1"
	b.finds(names, []fault{
		{"a period that is renewed twice", `
			drop index billing.purchase_renews_period_once;
			update billing.purchase set renews_expires_at = '{end}' where purchase_id = '{first}'`,
			[]string{"period_renewed_once " + of2000, "renewal_is_from_balance purchase:{first}"}},
		{"a renewal of another period", "update billing.purchase set renews_expires_at = '2027-01-01' where purchase_id = '{renewal}'",
			[]string{"renewal_is_from_balance purchase:{renewal}"}},
		{"a renewal that nobody was charged for", "update billing.purchase set paid_with = null where purchase_id = '{renewal}'",
			[]string{"balance_purchase_charged_once purchase:{renewal}", "paid_purchase_says_how purchase:{renewal}",
				"renewal_is_from_balance purchase:{renewal}"}},
		{"a renewal after the end", "update billing.purchase set closed_at = '{end}' where purchase_id = '{renewal}'",
			[]string{"renewal_is_from_balance purchase:{renewal}"}},
		{"a second trial", `
			drop index subscription.change_one_trial;
			insert into subscription.change (telegram_id, change_id, kind, before_tariff, before_expires_at, before_period,
			  after_tariff, after_expires_at, after_period, changed_at)
			select telegram_id, nextval('outbox.task_id'), kind, after_tariff, after_expires_at, after_period,
			  after_tariff, after_expires_at, after_period, changed_at
			from subscription.change where telegram_id = 1002`, []string{"trial_once " + ofBert}},
		{"a trial that nobody started", "update subscription.change set kind = 'grant' where telegram_id = 1002",
			[]string{"trial_was_started " + ofBert}},
		{"a reminder after the end", "update subscription.subscription set reminder_check_at = expires_at + interval '1 s' where telegram_id = 1002",
			[]string{"reminder_is_checked_in_time " + ofBert}},
		{"a reminder of what has ended", "update subscription.subscription set reminder_check_at = expires_at where telegram_id = 1",
			[]string{"reminder_is_checked_in_time " + ofBoss}},
		{"an identity of two", "update subscription.subscription set vpn_uuid = '{uuid}' where telegram_id = 2000",
			[]string{"identity_is_unique " + ofBert}},
		{"a renewal that nobody looks at", "update subscription.subscription set renew_check_at = null where telegram_id = 2000",
			[]string{"renewal_is_checked " + of2000}},
		{"a renewal after the end is looked at", "update subscription.subscription set renew_check_at = expires_at + interval '1 s' where telegram_id = 2000",
			[]string{"renewal_is_checked " + of2000}},
		{"a key that nobody removes", "update subscription.subscription set activation = 'active' where telegram_id = 1",
			[]string{"expiry_is_checked_in_time " + ofBoss}},
		{"a batch that gave up on somebody", `insert into ops.dead (job_name, subject, error, died_at)
			values ('subscription.renew_due', 'telegram_id:1', 'x', core.now())`,
			[]string{"dead_letter subscription.renew_due telegram_id:1"}},
	})
}
