package contract_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func subscriptionFunctions() []function {
	return []function{
		{name: "subscription.current", reads: true, allowed: "bot admin worker",
			returns: "status text, tariff text, expires_at timestamptz, auto_renew boolean, activation text, " +
				"vpn_uuid uuid, key_uri text",
			args: func(world) A { return A{"p_telegram_id": anna} }},
		{name: "subscription.trial_offer", reads: true, allowed: "bot admin",
			returns: "refusal text, days integer, tariff text, device_limit integer",
			args:    func(world) A { return A{"p_telegram_id": anna} }},
		{name: "subscription.renewal", reads: true, allowed: "bot admin",
			returns: "auto_renew boolean, expires_at timestamptz, renews_at timestamptz, tariff text, months integer, " +
				"list_kopecks bigint, discount_percent integer, price_kopecks bigint, is_sold boolean, available_kopecks bigint",
			args: func(world) A { return A{"p_telegram_id": anna} }},
		{name: "subscription.start_trial", allowed: "bot", switche: "trials",
			returns: "expires_at timestamptz, is_replay boolean",
			args:    func(world) A { return A{"p_telegram_id": bert, "p_idempotency_key": "k"} }},
		{name: "subscription.grant_time", allowed: "admin", switche: "admin_actions",
			returns: "expires_at timestamptz, is_replay boolean",
			args:    func(world) A { return grant(anna, "basic", "7 days", "k").With("p_is_told", true) },
			bad: map[string][]bad{"p_is_told": {refuse("22023", nil), accept(false)}, "p_tariff": {refuse("22023", nil, "", long, "gold", "BASIC", control), accept("plus")},
				"p_duration": {refuse("22023", nil, "0", "-1 day", "1 month", "1 year", "-1 month 60 days", "3651 days",
					"3650 days 1 minute", "59 seconds", "90 seconds", "1 minute 0.000001 seconds"),
					accept("1 minute", "3650 days", "36 hours", "-1 day 25 hours")}}},
		{name: "subscription.revoke", allowed: "admin", switche: "admin_actions",
			returns: "expires_at timestamptz, is_replay boolean",
			args:    func(world) A { return revoke(anna, "k").With("p_is_told", true) },
			bad:     map[string][]bad{"p_is_told": {refuse("22023", nil), accept(false)}}},
		{name: "subscription.set_auto_renew", allowed: "bot", returns: "auto_renew boolean",
			args: func(world) A { return A{"p_telegram_id": anna, "p_is_on": true} },
			bad:  map[string][]bad{"p_is_on": {refuse("22023", nil)}}},
		due("subscription.expire_due", "expired integer"),
		due("subscription.renew_due", "renewed integer, declined integer"),
	}
}

func grant(id int, tariff, duration, key string) A {
	return A{"p_admin_id": boss, "p_telegram_id": id, "p_tariff": tariff, "p_duration": duration, "p_reason": "sorry",
		"p_idempotency_key": key}
}

func revoke(id int, key string) A {
	return A{"p_admin_id": boss, "p_telegram_id": id, "p_reason": "fraud", "p_idempotency_key": key}
}

func (b *bundle) trial(id int, key string) Row {
	b.Helper()
	return b.One("subscription.start_trial", A{"p_telegram_id": id, "p_idempotency_key": key})
}

func (b *bundle) autoRenew(id int, isOn bool) {
	b.Helper()
	require.Equal(b, Row{"auto_renew": isOn},
		b.One("subscription.set_auto_renew", A{"p_telegram_id": id, "p_is_on": isOn}))
}

// nodeJobs are the provisioning tasks of a user, oldest first: action and identity.
func (b *bundle) nodeJobs(id int) [][]any {
	b.Helper()
	jobs := [][]any{}
	for _, row := range b.owner.Query(`select name, vpn_uuid from outbox.task
		where telegram_id = $1 and kind = 'provision' order by task_id`, id) {
		jobs = append(jobs, []any{row["name"], row["vpn_uuid"]})
	}
	return jobs
}

func (b *bundle) subscription(id int) Row {
	b.Helper()
	return b.One("subscription.current", A{"p_telegram_id": id})
}

func TestCurrent(t *testing.T) {
	b := setup(t)
	require.Equal(t, Row{"status": "none", "tariff": nil, "expires_at": nil, "auto_renew": false, "activation": "none",
		"vpn_uuid": nil, "key_uri": nil}, b.subscription(anna))

	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "k")
	now := b.subscription(anna)
	require.Equal(t, Row{"status": "active", "tariff": "basic", "expires_at": at.AddDate(0, 1, 0), "auto_renew": false,
		"activation": "pending", "vpn_uuid": now["vpn_uuid"], "key_uri": nil}, now)

	b.owner.At(at.AddDate(0, 1, 0).Add(-time.Microsecond))
	require.Equal(t, "active", b.subscription(anna)["status"])
	b.owner.At(at.AddDate(0, 1, 0))
	require.Equal(t, "expired", b.subscription(anna)["status"])
}

func TestCalendarMonths(t *testing.T) {
	b := setup(t)
	b.Credit(anna, 10_000_000)
	zoned, err := b.harness.DBA.Acquire(context.Background())
	require.NoError(t, err)
	defer zoned.Release()
	d := b.On(t, zoned)
	utc := func(text string) time.Time {
		at, err := time.Parse("2006-01-02 15:04:05", text)
		require.NoError(t, err)
		return at
	}
	for i, test := range []struct {
		zone, now string
		months    int
		end       string
	}{
		{"UTC", "2027-01-31 12:00:00", 1, "2027-02-28 12:00:00"},
		{"UTC", "2028-01-31 12:00:00", 1, "2028-02-29 12:00:00"},
		{"UTC", "2028-02-29 12:00:00", 12, "2029-02-28 12:00:00"},
		{"UTC", "2027-11-30 23:59:59", 3, "2028-02-29 23:59:59"},
		{"UTC", "2027-08-31 00:00:00", 6, "2028-02-29 00:00:00"},
		// In these zones it is another day of the month, or the clock changes within the period.
		{"Pacific/Kiritimati", "2027-01-31 12:00:00", 1, "2027-02-28 12:00:00"},
		{"America/Los_Angeles", "2027-03-01 01:00:00", 1, "2027-04-01 01:00:00"},
		{"Europe/Berlin", "2027-03-27 12:00:00", 1, "2027-04-27 12:00:00"},
	} {
		b.owner.Query("update subscription.subscription set expires_at = '2020-01-01'")
		b.owner.Query("update billing.purchase set after_expires_at = '2020-01-01', before_expires_at = '2020-01-01'")
		b.owner.At(utc(test.now))
		_, err := zoned.Exec(context.Background(), "select set_config('timezone', $1, false)", test.zone)
		require.NoError(t, err)
		key := string(rune('a' + i))
		quote := d.One("billing.quote", quoted(anna, "basic", test.months))
		require.Equal(t, utc(test.end), quote["subscription_expires_at"], "%+v", test)
		require.Equal(t, utc(test.end), d.Buy(anna, "basic", test.months, key)["subscription_expires_at"], "%+v", test)
	}
	_, err = zoned.Exec(context.Background(), "reset timezone")
	require.NoError(t, err)
	b.harness.BooksAreWrong("ends of periods were moved into the past by hand")
}

func TestRenewingExtends(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 1, 31, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	first := b.subscription(anna)
	b.owner.At(at.AddDate(0, 0, 10))
	b.Buy(anna, "basic", 3, "2")
	second := b.subscription(anna)
	require.Equal(t, time.Date(2027, 5, 28, 10, 0, 0, 0, time.UTC), second["expires_at"], "from the end, not from now")
	require.Equal(t, first["vpn_uuid"], second["vpn_uuid"], "the identity stays")

	after := second["expires_at"].(time.Time)
	b.owner.At(after) // the end itself is already over
	b.Credit(anna, 50000)
	b.Buy(anna, "basic", 1, "3")
	third := b.subscription(anna)
	require.Equal(t, after.AddDate(0, 1, 0), third["expires_at"], "from now")
	require.NotEqual(t, first["vpn_uuid"], third["vpn_uuid"], "a new identity after expiry")
	require.Equal(t, Row{"activation": "pending", "key_uri": nil}, pick(third, "activation", "key_uri"))
}

func TestMovingBetweenTariffs(t *testing.T) {
	b := setup(t)
	b.Credit(anna, 10_000_000)
	at := time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 12, "year of basic")
	identity := b.subscription(anna)["vpn_uuid"]
	year := at.AddDate(1, 0, 0).Sub(at) / time.Second

	upgraded := b.One("billing.open_purchase", desk.Choice(anna, "plus", 1, "up"))
	converted := time.Duration(int64(year)*desk.Basic1/desk.Plus1) * time.Second
	want := at.Add(converted).AddDate(0, 1, 0)
	require.Equal(t, want, upgraded["subscription_expires_at"], "the confirm screen shows the resulting date")
	require.Equal(t, want, b.Pay(anna, upgraded["purchase_id"].(string))["subscription_expires_at"],
		"remaining time converts by the one-month list prices, rounded down to a second")
	require.Equal(t, Row{"tariff": "plus", "vpn_uuid": identity}, pick(b.subscription(anna), "tariff", "vpn_uuid"))

	require.Equal(t, want.AddDate(0, 1, 0), b.Buy(anna, "plus", 1, "same")["subscription_expires_at"])
	require.Equal(t, want.AddDate(0, 2, 0), b.Buy(anna, "basic", 1, "down")["subscription_expires_at"],
		"moving down, the remaining time stays as it is")
	require.Equal(t, Row{"tariff": "basic", "vpn_uuid": identity}, pick(b.subscription(anna), "tariff", "vpn_uuid"))
}

func TestMovingDownKeepsTheTimeInEveryZone(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "plus", 1, "1")
	ctx := context.Background()
	tx, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	d := b.On(t, tx)
	d.Query("set local timezone = 'America/Los_Angeles'") // its clock changes on 14 March
	require.Equal(t, at.AddDate(0, 2, 0), d.One("billing.quote", quoted(anna, "basic", 1))["subscription_expires_at"])
	require.Equal(t, at.AddDate(0, 2, 0), d.Buy(anna, "basic", 1, "2")["subscription_expires_at"])
	require.NoError(t, tx.Commit(ctx))
}

func TestUpgradeRoundsDownToASecond(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	moment := at.AddDate(0, 1, 0).Add(-10*time.Second - 300*time.Millisecond)
	b.owner.At(moment)
	// 10.3 s of basic are 5.13 s of plus.
	require.Equal(t, moment.Add(5*time.Second).AddDate(0, 1, 0), b.Buy(anna, "plus", 1, "2")["subscription_expires_at"])
}

func TestTrialIsReplaced(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.owner.Query("select subscription._change($1, 'trial', 'basic', $2, 'trial', $3)", anna, at.AddDate(0, 0, 3), at)
	trial := b.owner.Value("update subscription.subscription set activation = 'active', key_uri = 'vless://trial' returning vpn_uuid")
	require.Equal(t, "trial", b.subscription(anna)["status"])

	require.Equal(t, at.AddDate(0, 1, 0), b.Buy(anna, "basic", 1, "k")["subscription_expires_at"], "it starts now")
	require.Equal(t, Row{"status": "active", "vpn_uuid": trial, "activation": "active", "key_uri": "vless://trial"},
		pick(b.subscription(anna), "status", "vpn_uuid", "activation", "key_uri"), "with the same identity")
}
