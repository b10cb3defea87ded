package race_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// issue makes a promo code of 10 percent.
func (b *bundle) issue(code string, maxUses any, perUser int) {
	b.Helper()
	b.One("promo.issue", A{"p_admin_id": boss, "p_code": code, "p_discount_percent": 10, "p_max_uses": maxUses,
		"p_per_user_limit": perUser, "p_expires_at": nil, "p_idempotency_key": code})
}

// with is the arguments of opening a month of basic with a code; it costs 134.10 then.
func with(id int, code, key string) A {
	return desk.Choice(id, "basic", 1, key).With("p_promo_code", code)
}

const discounted = desk.Basic1 * 9 / 10

// limit is the arguments of promo.set_limit.
func limit(code string, n any) A { return A{"p_admin_id": boss, "p_code": code, "p_max_uses": n} }

// codes counts the SQLSTATEs of answers.
func codes(answers []answer) map[string]int {
	count := map[string]int{}
	for _, a := range answers {
		count[a.code()]++
	}
	return count
}

// buyers registers n users without money, at once.
func (b *bundle) buyers(n int) []int {
	b.Helper()
	b.Query(`select r.telegram_id from generate_series(10001, 10000 + $1) g (id)
		cross join lateral account.register(g.id, null, 'en', null) r`, n)
	ids := make([]int, n)
	for i := range ids {
		ids[i] = 10001 + i
	}
	return ids
}

func TestB1LastUse(t *testing.T) { lastUse(setup(t)) }

func lastUse(b *bundle) {
	b.issue("LAST", 1, 1)
	calls := []call{}
	for _, user := range b.buyers(500) {
		calls = append(calls, call{b.bots[user%2], "billing.open_purchase", with(user, "LAST", "k")})
	}
	answers := b.rush(calls...)
	require.Equal(b, map[string]int{"": 1, "PR003": 499}, codes(answers))
	require.Equal(b, 1, b.count("billing.purchase"), "who is refused has no purchase")
	for _, a := range answers {
		if a.err == nil {
			user := a.args["p_telegram_id"].(int)
			b.Credit(user, discounted)
			require.Equal(b, 0, b.Pay(user, a.rows[0]["purchase_id"].(string))["available_kopecks"])
		}
	}
	require.Equal(b, 1, b.count("ledger.transfer where reason = 'purchase'"))
	require.Equal(b, 1, b.count("promo.use where use_no = 1"))
}

func TestB2SevenUsesInAStorm(t *testing.T) { sevenUses(setup(t)) }

// sevenUses lets 32 clients try ten times each while sessions are killed; who gets no answer asks again with its key.
func sevenUses(b *bundle) {
	b.issue("SEVEN", 7, 10)
	const clients, tries, perKill = 32, 10, 6
	users := b.buyers(clients)
	answered := make(chan string, clients*tries)
	asked := make(chan struct{}, 1)
	var all, storm sync.WaitGroup
	for i, user := range users {
		all.Go(func() {
			d := b.On(b, b.bots[i%2])
			for try := range tries {
				for code := "?"; code != "" && code != "PR003"; {
					_, err := d.Try("billing.open_purchase", with(user, "SEVEN", strconv.Itoa(try)))
					code = desk.Code(err)
					select {
					case asked <- struct{}{}:
					default:
					}
					if code == "" || code == "PR003" {
						answered <- code
					}
				}
			}
		})
	}
	kills := 0
	storm.Go(func() {
		n := 0
		for range asked {
			if n++; n%perKill != 0 {
				continue
			}
			var killed int
			require.NoError(b, b.super.QueryRow(context.Background(), `select count(pg_terminate_backend(a.pid)) from (
				select pid from pg_stat_activity where datname = current_database() and usename = 'atlas_bot_login'
				  and state = 'active' order by random() limit 2) a`).Scan(&killed))
			kills += killed
		}
	})
	all.Wait()
	close(asked)
	storm.Wait()
	close(answered)
	count := map[string]int{}
	for code := range answered {
		count[code]++
	}
	b.Logf("%d sessions were killed", kills)
	require.Positive(b, kills)
	require.Equal(b, map[string]int{"": 7, "PR003": clients*tries - 7}, count)
	require.Equal(b, 7, b.count("promo.use where use_no between 1 and 7"))
	require.Equal(b, 7, b.count("billing.purchase"))
}

func TestB2EveryUseCanBeHad(t *testing.T) { everyUse(setup(t)) }

// everyUse lets more buyers come than there are uses, some of whom cancel meanwhile: in the end all uses are taken.
func everyUse(b *bundle) {
	b.issue("SEVEN", 7, 1)
	users := b.buyers(40)
	opened := sync.Map{}
	var all sync.WaitGroup
	for i, user := range users {
		all.Go(func() {
			d := b.On(b, b.bots[i%2])
			for try := range 5 {
				rows, err := d.Try("billing.open_purchase", with(user, "SEVEN", strconv.Itoa(try)))
				if err == nil && i%2 == 0 {
					_, err = d.Try("billing.cancel_purchase", desk.Mine(user, rows[0]["purchase_id"]))
				}
				opened.Store(fmt.Sprint(user, try), desk.Code(err))
			}
		})
	}
	all.Wait()
	opened.Range(func(_, code any) bool {
		require.Contains(b, []string{"", "PR003"}, code)
		return true
	})
	for _, user := range users {
		_, err := b.Try("billing.open_purchase", with(user, "SEVEN", "last"))
		require.Contains(b, []string{"", "PR003"}, desk.Code(err))
	}
	require.Equal(b, 7, b.count("promo.use where use_no between 1 and 7"))
}

func TestB3PerUserLimit(t *testing.T) { perUserLimit(setup(t)) }

func perUserLimit(b *bundle) {
	for n, code := range map[int]string{1: "ONE", 3: "THREE"} {
		b.issue(code, 100, n)
		calls := []call{}
		for i := range 32 {
			calls = append(calls, call{b.bots[i%2], "billing.open_purchase", with(anna, code, code+strconv.Itoa(i))})
		}
		opened := b.rush(calls...)
		require.Equal(b, map[string]int{"": 32}, codes(opened), "nobody stands in their own way")
		require.Equal(b, n, b.count("billing.purchase where promo_code = $1 and status = 'open'", code))

		pays := []call{}
		for i, a := range opened {
			pays = append(pays, call{b.bots[i%2], "billing.pay_from_balance", desk.Mine(anna, a.rows[0]["purchase_id"])})
		}
		require.Equal(b, map[string]int{"": n, "PU003": 32 - n}, codes(b.rush(pays...)))
		for i := range calls {
			calls[i].args = with(anna, code, code+" again "+strconv.Itoa(i))
		}
		require.Equal(b, map[string]int{"PR005": 32}, codes(b.rush(calls...)))
		require.Equal(b, n, b.count("promo.use u join promo.code c on c.promo_id = u.promo_id where c.code = $1", code))
	}
	require.Equal(b, desk.Rich-4*discounted, b.Available(anna))
}

func TestB4UseOfARolledBackPurchase(t *testing.T) { rolledBackUse(setup(t)) }

func rolledBackUse(b *bundle) {
	b.issue("LAST", 1, 1)
	hold := func(d *desk.Desk) { d.One("billing.open_purchase", with(anna, "LAST", "k")) }
	waiting := call{b.bots[1], "billing.open_purchase", with(bert, "LAST", "k")}
	a := b.held(b.bots[0], hold, waiting, func(ctx context.Context, tx pgx.Tx) error { return tx.Rollback(ctx) })
	require.NoError(b, a.err, "the use comes back to who waits for it")
	require.Equal(b, 1, b.count("promo.use where telegram_id = $1", bert))

	b.One("billing.cancel_purchase", desk.Mine(bert, a.rows[0]["purchase_id"]))
	waiting.args = with(bert, "LAST", "k2")
	require.Equal(b, "PR003", b.locked(b.bots[0], hold, waiting, func() {}).code())
	require.Equal(b, 1, b.count("promo.use where telegram_id = $1", anna))
}

func TestB5ReservationExpiresAsMoneyComes(t *testing.T) { expiresAsMoneyComes(setup(t)) }

// expiresAsMoneyComes lets the sweeper, the payments of 20 overdue reservations and 20 new buyers meet: there are 20 uses.
func expiresAsMoneyComes(b *bundle) {
	b.issue("HOT", 20, 1)
	users := b.buyers(40)
	calls := times(10, b.workers, "billing.expire_due", A{"p_epoch": nil, "p_limit": 5})
	for _, user := range users[:20] {
		id := b.One("billing.open_purchase", with(user, "HOT", "k"))["purchase_id"]
		calls = append(calls, call{b.bots[0], "billing.settle_payment", settle(id.(string), id, nil, discounted)})
	}
	for _, user := range users[20:] {
		calls = append(calls, call{b.bots[1], "billing.open_purchase", with(user, "HOT", "k")})
	}
	b.owner.Later("30 minutes")
	outcomes := map[any]int{}
	for _, a := range b.rush(calls...) {
		switch a.function {
		case "billing.settle_payment":
			require.NoError(b, a.err)
			outcomes[a.rows[0]["outcome"]]++
		case "billing.open_purchase":
			require.Contains(b, []string{"", "PR003"}, a.code())
			outcomes[a.code()]++
		default:
			require.NoError(b, a.err)
		}
	}
	b.Logf("%v", outcomes)
	require.Equal(b, outcomes["applied"], b.count("billing.purchase where status = 'paid'"))
	require.Equal(b, outcomes["credited"], b.count("wallet.wallet where available_kopecks = $1", discounted))
	require.LessOrEqual(b, outcomes["applied"]+outcomes[""], 20)
	require.Equal(b, 20, outcomes["applied"]+outcomes["credited"])
}

func TestB5MoneyComesAfterTheLastUseWasTaken(t *testing.T) { moneyAfterLastUse(setup(t)) }

// moneyAfterLastUse: late money waits for whoever is just taking the last use.
func moneyAfterLastUse(b *bundle) {
	b.issue("LAST", 1, 1)
	id := b.One("billing.open_purchase", with(anna, "LAST", "k"))["purchase_id"]
	b.One("billing.cancel_purchase", desk.Mine(anna, id))
	outcome := func(charge string, end func(ctx context.Context, tx pgx.Tx) error) any {
		a := b.held(b.bots[0], func(d *desk.Desk) { d.One("billing.open_purchase", with(bert, "LAST", "k")) },
			call{b.bots[1], "billing.settle_payment", settle(charge, id, nil, discounted)}, end)
		require.NoError(b, a.err)
		return a.rows[0]["outcome"]
	}
	require.Equal(b, "credited", outcome("1", func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }))
	b.One("billing.cancel_purchase", desk.Mine(bert,
		b.One("billing.open_purchase", with(bert, "LAST", "k"))["purchase_id"]))
	b.owner.Query("update billing.purchase set idempotency_key = 'old' where telegram_id = $1", bert)
	require.Equal(b, "applied", outcome("2", func(ctx context.Context, tx pgx.Tx) error { return tx.Rollback(ctx) }))
	require.Equal(b, 1, b.count("promo.use where telegram_id = $1", anna))
}

func TestB6ReleasedOnce(t *testing.T) { releasedOnce(setup(t)) }

func releasedOnce(b *bundle) {
	b.issue("LAST", 1, 1)
	id := b.One("billing.open_purchase", with(anna, "LAST", "k"))["purchase_id"]
	b.owner.Later("30 minutes")
	calls := append(times(10, b.bots, "billing.cancel_purchase", desk.Mine(anna, id)),
		times(10, b.workers, "billing.expire_due", A{"p_epoch": nil, "p_limit": 5})...)
	for i, user := range b.buyers(20) {
		calls = append(calls, call{b.bots[i%2], "billing.open_purchase", with(user, "LAST", "k")})
	}
	got := 0
	for _, a := range b.rush(calls...) {
		switch {
		case a.function == "billing.open_purchase" && a.err == nil:
			got++
		case a.function == "billing.open_purchase":
			require.Equal(b, "PR003", a.code())
		case a.function == "billing.cancel_purchase":
			require.Contains(b, []string{"", "PU003"}, a.code())
		default:
			require.NoError(b, a.err)
		}
	}
	require.LessOrEqual(b, got, 1)
	require.Equal(b, got, b.count("promo.use"))
}

func TestB7TermsChangeUnderBuyers(t *testing.T) { termsChange(setup(t)) }

// termsChange lets 50 buyers open and cancel while an admin moves the limit up and down and disables the code; somebody
// looks at the books all the time: at every moment the uses are within the limit.
func termsChange(b *bundle) {
	b.issue("HOT", 100, 2)
	users := b.buyers(50)
	calls := []call{}
	for i, user := range users {
		calls = append(calls, call{b.bots[i%2], "billing.open_purchase", with(user, "HOT", "1")},
			call{b.bots[i%2], "billing.open_purchase", with(user, "HOT", "2")})
	}
	for range 30 {
		calls = append(calls, call{b.harness.Admin, "promo.set_limit", limit("HOT", 1+b.random.IntN(100))})
	}
	calls = append(calls, call{b.harness.Admin, "promo.set_limit", limit("HOT", nil)})

	ctx, stop := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	defer looking.Wait()
	defer stop()
	looks, found := 0, []any{}
	looking.Go(func() {
		for ctx.Err() == nil {
			problems, err := b.harness.Reconcile(context.Background())
			if err != nil || len(problems) > 0 {
				found = append(found, problems, err)
			}
			looks++
		}
	})
	answers := b.rush(calls...)
	for _, a := range answers {
		require.Contains(b, []string{"", "PR003"}, a.code(), "no other error: %v", a.err)
	}
	open := b.owner.Query("select telegram_id, purchase_id from billing.purchase where status = 'open'")
	calls = []call{}
	for i, row := range open {
		if i%2 == 0 {
			calls = append(calls, call{b.bots[0], "billing.cancel_purchase", desk.Mine(row["telegram_id"].(int), row["purchase_id"])})
		}
	}
	for i, user := range users {
		calls = append(calls, call{b.bots[1], "billing.open_purchase", with(user, "HOT", "3")},
			call{b.harness.Admin, "promo.set_limit", limit("HOT", len(open)-i%10)})
	}
	calls = append(calls, call{b.harness.Admin, "promo.disable", A{"p_admin_id": boss, "p_code": "HOT"}})
	for _, a := range b.rush(calls...) {
		require.Contains(b, []string{"", "PR003", "PR004"}, a.code(), "no other error: %v", a.err)
	}
	stop()
	looking.Wait()
	require.Empty(b, found)
	require.Positive(b, looks)
	require.Zero(b, b.count(`billing.purchase u join promo.code c on c.promo_id = u.promo_id
		where u.opened_at >= c.disabled_at`), "nobody opens by the old terms once the new ones are in force")
}

func TestB7AdminWaitsForReservationsInFlight(t *testing.T) { adminWaits(setup(t)) }

func adminWaits(b *bundle) {
	b.issue("HOT", 5, 5)
	b.One("billing.open_purchase", with(anna, "HOT", "1"))
	opens := func(key string) func(d *desk.Desk) {
		return func(d *desk.Desk) { d.One("billing.open_purchase", with(anna, "HOT", key)) }
	}
	a := b.locked(b.bots[0], opens("2"), call{b.harness.Admin, "promo.set_limit", limit("HOT", 1)}, func() {})
	require.Equal(b, "PR003", a.code(), "the use in flight counts")
	a = b.locked(b.bots[0], opens("3"), call{b.harness.Admin, "promo.set_limit", limit("HOT", 3)}, func() {})
	require.NoError(b, a.err)

	a = b.locked(b.harness.Admin, func(d *desk.Desk) { d.One("promo.set_limit", limit("HOT", 4)) },
		call{b.bots[0], "billing.open_purchase", with(bert, "HOT", "1")}, func() {})
	require.NoError(b, a.err, "who waits for an admin opens by the new terms")
	require.Equal(b, 4, b.count("promo.use where use_no between 1 and 4"))
	a = b.locked(b.harness.Admin, func(d *desk.Desk) { d.One("promo.disable", A{"p_admin_id": boss, "p_code": "HOT"}) },
		call{b.bots[0], "billing.open_purchase", with(bert, "HOT", "2")}, func() {})
	require.Equal(b, "PR004", a.code())
}

func TestB8TwoCodesBothWays(t *testing.T) { twoCodes(setup(t)) }

// twoCodes is B8 and B9: two users with two codes in opposite order, releases and admins among them; rush refuses deadlocks.
func twoCodes(b *bundle) {
	pair := []string{"P3241", "P3886"}
	for _, code := range pair {
		b.issue(code, 4, 2)
	}
	calls := []call{}
	for i := range 20 {
		for j, user := range []int{anna, bert} {
			for k := range pair {
				code := pair[(j+k)%2]
				calls = append(calls, call{b.bots[j], "billing.open_purchase", with(user, code, fmt.Sprint(i, code))})
			}
			calls = append(calls, call{b.workers[j], "billing.expire_due", A{"p_epoch": nil, "p_limit": 10}},
				call{b.harness.Admin, "promo.set_limit", limit(pair[(i+j)%2], 4+i%2)})
		}
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	require.Equal(b, 8, b.count("promo.use"))
}
