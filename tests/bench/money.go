package main

import (
	"context"
	"fmt"

	"atlas-secure/tests/bench/crowd"
	"atlas-secure/tests/bench/result"
	"atlas-secure/tests/bench/rig"
)

// targetHotCode is the share of the speed without a code that is aimed at when all buyers use the same one.
const targetHotCode = 0.85

// usual is how many clients there are where nothing else is said.
const usual = 32

func (b *bench) many() int {
	if b.calls > 0 {
		return 4
	}
	return usual
}

// hotCode is case 3: everybody buys with the same promo code.
func (b *bench) hotCode() group {
	return group{
		number: "3", title: "One promo code for all buyers against none",
		subjects: []subject{
			b.opening("no-code", "open and pay, no code", b.many()),
			{"hot-code", "open and pay, one code for all", b.many(), func(ctx context.Context, round int) (rig.Sample, error) {
				code := int64(777_000 + round) // letters and digits, so digits will do
				err := b.server.Exec(ctx, fmt.Sprintf("select promo.issue(%d, '%d', 10, 1000000, 1000, null, 'bench:%d')",
					crowd.Admin, code, code))
				if err != nil {
					return rig.Sample{}, err
				}
				from, _ := b.numbers("hot-code", b.many())
				return b.run(ctx, "hot-code", b.load("open_and_pay_code.sql", b.many(),
					map[string]int64{"base": int64(from), "code": code}))
			}},
		},
		ratios: []result.Ratio{{Key: "hot-code", Title: "one code for all / no code, 32 clients", Of: "hot-code", To: "no-code",
			Target: targetHotCode}},
	}
}

// oneWallet is case 4: many customers against one.
func (b *bench) oneWallet() group {
	crowded := min(1000, b.users)
	return group{
		number: "4", title: "Everybody pays from one wallet",
		subjects: []subject{
			b.paying("thousand", fmt.Sprintf("purchase, %d users", crowded), b.many(), crowded, b.load("pay.sql", b.many(), nil)),
			b.paying("one", "purchase, one user", b.many(), 1, b.load("pay.sql", b.many(), nil)),
		},
		ratios: []result.Ratio{{Key: "one-wallet", Title: fmt.Sprintf("one user / %d users, 32 clients", crowded), Of: "one",
			To: "thousand"}},
	}
}

// otherMoney is case 5: a provider's payment, and a withdrawal from request to approval.
func (b *bench) otherMoney() group {
	withdraw := subject{"withdraw", "withdrawal: request and approve", b.many(), func(ctx context.Context, _ int) (rig.Sample, error) {
		// What the end of an earlier run has cut in two: a user has one pending request at a time.
		err := b.server.Exec(ctx, fmt.Sprintf(`select withdrawal.reject(p_admin_id => %d, p_withdrawal_id => w.withdrawal_id,
			p_reason => 'cut in two') from withdrawal.withdrawal w where w.status = 'pending'`, crowd.Admin))
		if err != nil {
			return rig.Sample{}, err
		}
		from, _ := b.numbers("withdraw", b.many())
		return b.run(ctx, "withdraw", b.load("withdraw.sql", b.many(), map[string]int64{"base": int64(from)}))
	}}
	return group{
		number: "5", title: "A provider's payment; a withdrawal",
		subjects: []subject{
			b.tpcb("tpcb-beside-money", b.many()),
			b.paying("settle", "settle_payment", b.many(), b.users, b.load("settle.sql", b.many(), nil)),
			withdraw,
		},
		ratios: []result.Ratio{
			{Key: "settle", Title: "settle_payment / tpcb-like, 32 clients", Of: "settle", To: "tpcb-beside-money"},
			{Key: "withdraw", Title: "request and approve / tpcb-like, 32 clients", Of: "withdraw", To: "tpcb-beside-money"},
		},
		setup: func(ctx context.Context) error {
			return b.server.Exec(ctx, "update ops.setting set value = 1000 where name = 'withdrawals_per_day'")
		},
	}
}
