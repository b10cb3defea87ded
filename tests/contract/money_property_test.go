package contract_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// randomly gives a source of chance; ATLAS_TEST_SEED repeats a run.
func randomly(t *testing.T) *rand.Rand {
	t.Helper()
	seed := harness.Seed(t)
	return rand.New(rand.NewPCG(seed, seed))
}

// life is one user who buys, is given time and is refunded, in any order.
type life struct {
	*bundle
	user, done int
	tariffs    []string
	now        time.Time
	bought     map[any]time.Duration // what is paid and not refunded: how long, in time of the basic tariff
	given      time.Duration         // by grants, in time of the basic tariff
	pure       time.Time             // where grants alone would have led
	log        []string
}

func (l *life) note(format string, args ...any) {
	l.done++
	l.log = append(l.log, fmt.Sprintf(format, args...))
}

// end is the end of the subscription, now if there is none in force.
func (l *life) end() time.Time {
	l.Helper()
	row := l.subscription(l.user)
	if end, ok := row["expires_at"].(time.Time); ok && end.After(l.now) {
		return end
	}
	return l.now
}

// worth is what is left, in time of the basic tariff by the list prices.
func (l *life) worth() time.Duration {
	l.Helper()
	return worthIn(l.subscription(l.user)["tariff"], l.end().Sub(l.now))
}

func worthIn(tariff any, left time.Duration) time.Duration {
	if tariff == "plus" {
		return time.Duration(float64(left) * desk.Plus1 / desk.Basic1)
	}
	return left
}

func (l *life) buy(tariff string, months int) {
	l.Helper()
	id := l.Buy(l.user, tariff, months, fmt.Sprint("k", l.done))["purchase_id"]
	row := l.owner.Query("select period_starts_at as f, after_expires_at as t from billing.purchase where purchase_id = $1", id)[0]
	l.bought[id] = worthIn(tariff, row["t"].(time.Time).Sub(row["f"].(time.Time)))
	l.note("%s buy %s %d", l.now, tariff, months)
}

// grant gives time as the function for it does: on top of what there is, in a tariff.
func (l *life) grant(tariff string, days int) {
	l.Helper()
	duration := time.Duration(days) * 24 * time.Hour
	l.owner.Query(`select subscription._change($1, 'grant', $2,
		subscription._start_after($3, $2, s.tariff, s.expires_at, s.period) + $4::interval,
		case when s.expires_at > $3 then s.period else 'grant' end, $3)
		from (values (1)) one left join subscription.subscription s on s.telegram_id = $1`,
		l.user, tariff, l.now, fmt.Sprint(days*24, " hours"))
	l.given += worthIn(tariff, duration)
	if l.pure.Before(l.now) {
		l.pure = l.now
	}
	l.pure = l.pure.Add(duration)
	l.note("%s grant %s %d days", l.now, tariff, days)
}

func (l *life) refund(random *rand.Rand) {
	l.Helper()
	ids := keys(l.ids())
	id := ids[random.IntN(len(ids))]
	before := l.end()
	l.One("billing.refund_purchase", refund(boss, id))
	delete(l.bought, any(id))
	l.note("%s refund %s", l.now, id)
	if len(l.tariffs) == 1 { // else the exact state before may end later, in a cheaper tariff
		require.False(l, l.end().After(before), "a refund never extends: %v", l.log)
	}
}

func (l *life) ids() map[string]bool {
	ids := map[string]bool{}
	for id := range l.bought {
		ids[id.(string)] = true
	}
	return ids
}

// lives lets people buy, be given time and be refunded at random, checks after every step, and refunds the rest.
func lives(t *testing.T, n int, tariffs []string, isMoving bool, check func(l *life)) {
	b := setup(t)
	random := randomly(t)
	start := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	for i := range n {
		b.owner.At(start)
		l := &life{bundle: b, user: 5000 + i, tariffs: tariffs, now: start, bought: map[any]time.Duration{}}
		b.User(l.user)
		b.Credit(l.user, 10_000_000)
		for range 3 + random.IntN(9) {
			if isMoving {
				l.now = l.now.Add(time.Duration(random.IntN(20*24)) * time.Hour)
				b.owner.At(l.now)
			}
			tariff := tariffs[random.IntN(len(tariffs))]
			switch what := random.IntN(6); {
			case what < 3:
				l.buy(tariff, []int{1, 1, 3, 6}[random.IntN(4)])
			case what == 3:
				l.grant(tariff, 1+random.IntN(10))
			case len(l.bought) > 0:
				l.refund(random)
			}
			check(l)
		}
		for len(l.bought) > 0 {
			l.refund(random)
			check(l)
		}
	}
}

// paid is what was given and what is paid and not refunded.
func (l *life) paid() time.Duration {
	sum := l.given
	for _, duration := range l.bought {
		sum += duration
	}
	return sum
}

func TestRefundsInAnyOrderLeaveWhatWasGiven(t *testing.T) {
	lives(t, 40, []string{"basic"}, false, func(l *life) {
		require.Equal(l, l.now.Add(l.paid()), l.end(), "%v", l.log)
	})
}

func TestRefundsInAnyOrderOverTimeNeverExtend(t *testing.T) {
	lives(t, 40, []string{"basic"}, true, func(l *life) {
		if len(l.bought) == 0 && l.end().After(l.now) {
			require.False(l, l.end().After(l.pure), "as if there had been grants alone: %v", l.log)
		}
	})
}

func TestRefundsInAnyOrderOfTariffsNeverExtend(t *testing.T) {
	lives(t, 60, []string{"basic", "plus"}, false, func(l *life) {
		require.LessOrEqual(l, l.worth(), l.paid()+time.Minute, "%v", l.log)
	})
}

// TestE2AnyOrderOfProviderEvents: whatever comes, in whatever order and however often, the books end the same once a
// reversal is among it.
func TestE2AnyOrderOfProviderEvents(t *testing.T) {
	b := setup(t)
	random := randomly(t)
	for i := range 100 {
		user := 5000 + i
		b.User(user)
		charge := fmt.Sprint("charge ", i)
		amount := desk.Basic1 + 100*random.IntN(2)
		id := b.Open(user, "basic", 1, "k")
		if random.IntN(3) == 0 {
			id = b.Topup(user, 25000, "k")
		}
		settle := rub(charge, id, nil, amount)
		events := []func(){
			func() { b.One("billing.settle_payment", settle) },
			func() {
				b.One("billing.settle_payment", settle.With("p_raw", `{"by": "webhook"}`).With("p_payer_id", user))
			},
			func() { b.reverse(charge, amount) },
			func() {
				b.owner.Later("1 hour")
				b.One("billing.expire_due", A{"p_epoch": nil, "p_limit": 1000})
				b.owner.Later("0 hours")
			},
			func() { _, _ = b.Try("billing.cancel_purchase", desk.Mine(user, id)) },
		}
		order := random.Perm(len(events))
		for range random.IntN(6) {
			order = append(order, random.IntN(len(events)))
		}
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, event := range order {
			events[event]()
		}
		require.Equal(t, [2]int{0, 0}, b.balances(user), "%v", order)
		require.Equal(t, "none", b.subscription(user)["status"], "%v", order)
		require.Equal(t, []Row{{"outcome": "reversed", "payments": 1, "at_the_provider": 0}}, b.owner.Query(`
			select p.outcome::text, count(*) over () as payments,
			  (select coalesce(sum(x.amount_kopecks * ((x.credit_account = 'provider')::int
			     - (x.debit_account = 'provider')::int)), 0)::bigint
			   from ledger.transfer x where x.payment_id = p.payment_id) as at_the_provider
			from billing.payment p where p.charge_id = $1`, charge), "%v", order)
	}
	require.Empty(t, b.alarms())
}
