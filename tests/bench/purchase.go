package main

import (
	"context"
	"fmt"

	"atlas-secure/tests/bench/result"
	"atlas-secure/tests/bench/rig"
)

// targetPurchase is what is aimed at with 32 clients.
const targetPurchase = 1.0

// purchase is case 1: a purchase paid from the balance against pgbench's own transaction.
func (b *bench) purchase() group {
	g := group{number: "1", title: "Purchase from balance against tpcb-like"}
	for _, clients := range b.clients {
		tpcb, pay, both := fmt.Sprintf("tpcb-%d", clients), fmt.Sprintf("pay-%d", clients), fmt.Sprintf("open-pay-%d", clients)
		g.subjects = append(g.subjects,
			b.tpcb(tpcb, clients),
			b.paying(pay, fmt.Sprintf("purchase, %d clients", clients), clients, b.users, b.load("pay.sql", clients, nil)),
			b.opening(both, fmt.Sprintf("open and pay, %d clients", clients), clients))
		ratio := result.Ratio{Key: "purchase-" + fmt.Sprint(clients), Title: fmt.Sprintf("purchase / tpcb-like, %d clients", clients),
			Of: pay, To: tpcb}
		if clients == 32 {
			ratio.Target = targetPurchase
		}
		g.ratios = append(g.ratios, ratio, result.Ratio{Key: "open-" + fmt.Sprint(clients),
			Title: fmt.Sprintf("open and pay / tpcb-like, %d clients", clients), Of: both, To: tpcb})
	}
	return g
}

// opening opens purchases and pays them.
func (b *bench) opening(key, title string, clients int) subject {
	return subject{key, title, clients, func(ctx context.Context, _ int) (rig.Sample, error) {
		from, _ := b.numbers(key, clients)
		return b.run(ctx, key, b.load("open_and_pay.sql", clients, map[string]int64{"base": int64(from)}))
	}}
}
