package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// figureFunctions are what the admins' screens of figures ask, and the job behind them.
func figureFunctions() []function {
	admin := func(world) A { return A{"p_admin_id": boss} }
	return []function{
		due("ops.figures_due", "computed integer"),
		{name: "ops.statistics", reads: true, allowed: "admin", args: admin,
			returns: "computed_at timestamptz, users bigint, new_today bigint, new_7_days bigint, new_30_days bigint, " +
				"active bigint, trials bigint, expired bigint, blocked bigint, unreachable bigint, tariffs jsonb"},
		{name: "ops.metrics", reads: true, allowed: "admin", args: admin,
			returns: "computed_at timestamptz, keys_today bigint, median_today_ms bigint, p95_today_ms bigint, " +
				"keys_yesterday bigint, median_yesterday_ms bigint, p95_yesterday_ms bigint, sales bigint, buyers bigint, " +
				"renewals_per_hundred bigint, approved bigint, rejected bigint, approved_percent integer"},
		{name: "billing.analytics", reads: true, allowed: "admin", args: admin,
			returns: "computed_at timestamptz, month date, revenue_kopecks bigint, refunded_kopecks bigint, net_kopecks bigint, " +
				"payers bigint, arppu_kopecks bigint, arpu_kopecks bigint, ways jsonb, before_revenue_kopecks bigint, " +
				"before_net_kopecks bigint, before_payers bigint, before_arppu_kopecks bigint, change_percent integer, " +
				"payers_ever bigint, net_ever_kopecks bigint, ltv_kopecks bigint"},
	}
}

// figured is a shop with two months of business: purchases from the balance and through providers, one refunded, one
// reversed, one refunded and then reversed, a trial, withdrawals, keys that took their time.
func figured(t *testing.T) (b *bundle, now time.Time) {
	t.Helper()
	b = deserted(t)
	start := time.Date(2027, 2, 20, 10, 0, 0, 0, time.UTC)
	b.owner.At(start) // the days that are missing are those since the first registration
	b.Shop()
	for day := range 20 {
		at := start.AddDate(0, 0, day)
		b.owner.At(at)
		id := 2000 + day
		b.User(id)
		b.Credit(id, desk.Rich)
		switch day % 5 {
		case 0:
			b.Buy(id, "basic", 1, "k")
			b.owner.At(at.Add(time.Hour))
			b.Buy(id, "basic", 3, "again")
		case 1:
			b.Settle(fmt.Sprint("c", day), b.Open(id, "plus", 1, "k"), desk.Plus1)
		case 2:
			purchase := b.Open(id, "plus", 1, "k")
			b.One("billing.settle_payment", desk.Money("cryptobot", fmt.Sprint("c", day), purchase, nil, desk.Plus1, "RUB"))
			if day > 2 {
				b.One("billing.refund_purchase", A{"p_admin_id": boss, "p_purchase_id": purchase, "p_reason": "r"})
			}
			b.owner.At(at.Add(2 * time.Hour))
			b.One("billing.reverse_payment", A{"p_provider": "cryptobot", "p_charge_id": fmt.Sprint("c", day),
				"p_amount_minor": desk.Plus1, "p_currency": "RUB", "p_raw": "{}"})
		case 3:
			withdrawal := b.request(id, least, "k")
			if day%2 == 0 {
				b.One("withdrawal.reject", rejected(boss, withdrawal))
			} else {
				b.One("withdrawal.approve", decided(boss, withdrawal))
			}
			b.One("withdrawal.cancel", cancelled(id, b.request(id, least, "k2")))
		default:
			b.One("subscription.start_trial", A{"p_telegram_id": id, "p_idempotency_key": "t"})
		}
		if day == 18 { // yesterday: several keys
			for other := range 5 {
				b.User(2100 + other)
				b.Credit(2100+other, desk.Rich)
				b.Buy(2100+other, "basic", 1, "k")
			}
		}
		for i, job := range b.jobs("w", 10) {
			b.owner.At(at.Add(2*time.Hour + time.Duration(day+i)*time.Second))
			b.One("vpn.complete_job", of(job, "p_key_uri", "vless://k"))
		}
	}
	b.Buy(anna, "basic", 1, "k") // on the last day
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": 2001, "p_reason": "r"})
	b.One("account.set_reachable", A{"p_telegram_id": 2002, "p_is_reachable": false})
	now = start.AddDate(0, 0, 19).Add(3 * time.Hour)
	b.owner.At(now)
	return b, now
}

// directly is the same figures from the purchases, refunds and withdrawals themselves, which the job does not look at.
const directly = `
with sale as (
  select u.telegram_id, u.closed_at, u.price_kopecks, u.paid_with from billing.purchase u
  where u.kind = 'subscription' and u.status in ('paid', 'refunded') and u.price_kopecks > 0
), back as (
  select r.refunded_at, u.price_kopecks from billing.refund r
  join billing.purchase u on u.telegram_id = r.telegram_id and u.purchase_id = r.purchase_id
)
select (select coalesce(sum(s.price_kopecks), 0)::bigint from sale s where s.closed_at >= $1 and s.closed_at < $2) as revenue,
  (select count(distinct s.telegram_id) from sale s where s.closed_at >= $1 and s.closed_at < $2) as payers,
  (select coalesce(sum(b.price_kopecks), 0)::bigint from back b where b.refunded_at >= $1 and b.refunded_at < $2) as refunded`

func TestFiguresAreTheBusinesss(t *testing.T) {
	b, now := figured(t)
	b.harness.BooksAreWrong("days pass without the jobs")
	for calls := 0; ; calls++ { // in batches, the latest days first
		require.Less(t, calls, 10)
		if b.One("ops.figures_due", batch(nil, 7))["computed"] == 0 {
			break
		}
	}
	first := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	this := b.owner.Query(directly, first, now)[0]
	before := b.owner.Query(directly, first.AddDate(0, -1, 0), time.Date(2027, 2, 12, 0, 0, 0, 0, time.UTC))[0]
	ever := b.owner.Query(directly, first.AddDate(-1, 0, 0), now)[0]
	money := b.One("billing.analytics", A{"p_admin_id": boss})
	require.Positive(t, this["refunded"])
	net := this["revenue"].(int) - this["refunded"].(int)
	netEver := ever["revenue"].(int) - ever["refunded"].(int)
	require.Equal(t, Row{"computed_at": now, "month": first, "revenue_kopecks": this["revenue"], "refunded_kopecks": this["refunded"],
		"net_kopecks": net, "payers": this["payers"], "arppu_kopecks": net / this["payers"].(int), "arpu_kopecks": net / b.count("account.account"),
		"before_revenue_kopecks": before["revenue"], "before_net_kopecks": before["revenue"], "before_payers": before["payers"],
		"before_arppu_kopecks": nil, "change_percent": nil, "payers_ever": ever["payers"], "net_ever_kopecks": netEver,
		"ltv_kopecks": netEver / ever["payers"].(int), "ways": money["ways"]}, money)
	ways := map[string]any{}
	for _, row := range b.owner.Query(`select u.paid_with as way, sum(u.price_kopecks)::float8 as amount from billing.purchase u
		where u.status in ('paid', 'refunded') and u.closed_at >= $1 group by 1`, first) {
		ways[row["way"].(string)] = row["amount"]
	}
	require.Equal(t, ways, money["ways"])

	counted := b.owner.Query(`select (select count(*) from account.account) as users,
		(select count(*) from account.account where registered_at >= $1::date) as new_today,
		(select count(*) from account.account where registered_at >= $1::date - 6) as new_7_days,
		(select count(*) from account.account where registered_at >= $1::date - 29) as new_30_days,
		(select count(*) from subscription.subscription where expires_at > $1 and period <> 'trial') as active,
		(select count(*) from subscription.subscription where expires_at > $1 and period = 'trial') as trials,
		(select count(*) from subscription.subscription where expires_at <= $1) as expired`, now)[0]
	counted["blocked"], counted["unreachable"], counted["computed_at"] = 1, 1, now
	statistics := b.One("ops.statistics", A{"p_admin_id": boss})
	counted["tariffs"] = statistics["tariffs"]
	require.Equal(t, counted, statistics)
	require.Equal(t, counted["active"], int(statistics["tariffs"].(map[string]any)["basic"].(float64)+statistics["tariffs"].(map[string]any)["plus"].(float64)))

	metrics := b.One("ops.metrics", A{"p_admin_id": boss})
	require.Equal(t, Row{"approved": 2, "rejected": 2, "approved_percent": 50, "buyers": ever["payers"]},
		pick(metrics, "approved", "rejected", "approved_percent", "buyers"))
	sales := b.count("billing.purchase where status in ('paid', 'refunded')")
	require.Equal(t, sales, metrics["sales"])
	require.Equal(t, 100*(sales-ever["payers"].(int))/ever["payers"].(int), metrics["renewals_per_hundred"])
	took := b.owner.Query(`select count(*) as keys,
		(1000 * extract(epoch from percentile_disc(0.5) within group (order by finished_at - created_at)))::bigint as median,
		(1000 * extract(epoch from percentile_disc(0.95) within group (order by finished_at - created_at)))::bigint as p95
		from outbox.task where name = 'add' and outcome = 'done' and created_at >= $1::date - 1 and created_at < $1::date`, now)[0]
	require.Equal(t, 5, took["keys"])
	require.Less(t, took["median"], took["p95"])
	require.Equal(t, Row{"keys_yesterday": took["keys"], "median_yesterday_ms": took["median"], "p95_yesterday_ms": took["p95"]},
		pick(metrics, "keys_yesterday", "median_yesterday_ms", "p95_yesterday_ms"))

	t.Log("once more it is the same; what comes later today and was wrong yesterday is taken in")
	all := func() []Row { return b.owner.Query("select name, day, value from ops.day_figure order by name, day") }
	figures := all()
	b.One("ops.figures_due", batch(nil, 7))
	require.Equal(t, figures, all())
	b.owner.Query("update ops.day_figure set value = value + 1 where day = $1::date - 1", now)
	b.owner.Query("update ops.day_figure set value = value + 7 where day = $1::date - 2 and name = 'users_new'", now)
	b.One("ops.figures_due", batch(nil, 7))
	require.Equal(t, counted["users"].(int)+7, b.owner.Value("select sum(value)::bigint from ops.day_figure where name = 'users_new'"),
		"older days are left as they are")
}

func TestFiguresBeforeTheFirstCount(t *testing.T) {
	b := setup(t)
	require.Nil(t, b.One("ops.statistics", A{"p_admin_id": boss})["computed_at"])
	require.Nil(t, b.One("billing.analytics", A{"p_admin_id": boss})["ltv_kopecks"])
	require.Nil(t, b.One("ops.metrics", A{"p_admin_id": boss})["approved_percent"])
	require.Equal(t, 0, b.One("ops.figures_due", batch(nil, 7))["computed"], "there are no days before yesterday")
	require.Equal(t, 3, b.One("ops.statistics", A{"p_admin_id": boss})["users"])
	money := b.One("billing.analytics", A{"p_admin_id": boss})
	require.Equal(t, Row{"net_kopecks": 0, "payers": 0, "arppu_kopecks": nil, "arpu_kopecks": 0, "ltv_kopecks": nil, "change_percent": nil},
		pick(money, "net_kopecks", "payers", "arppu_kopecks", "arpu_kopecks", "ltv_kopecks", "change_percent"))
	epoch := b.One("ops.acquire_lease", lease("ops.figures_due", "one", "30 seconds"))["epoch"].(int)
	b.Refused("OP002", "ops.figures_due", batch(epoch+1, 10))
}
