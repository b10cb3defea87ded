package load

import (
	"context"
	"fmt"

	"atlas-secure/tests/history"
)

// visits are what clients come for, by name.
var visits = map[string]func(c *client, ctx context.Context, who *customer){
	"buy": (*client).buy, "promo": (*client).buyWithCode, "tap": (*client).tap, "cancel": (*client).cancel,
	"topup": (*client).topup, "card": (*client).buyByCard, "reverse": (*client).reverse, "suspense": (*client).suspense,
	"manual": (*client).manual, "refund": (*client).refund, "credit": (*client).getCredit, "debit": (*client).debit,
	"balance": (*client).balance, "withdraw": (*client).withdraw, "draft": (*client).draft, "decide": (*client).decide,
	"trial": (*client).trial, "grant": (*client).grant, "revoke": (*client).revoke, "renewal": (*client).renewal,
	"batches": (*client).batches, "jobs": (*client).jobs, "messages": (*client).messages,
}

func (c *client) visit(ctx context.Context) {
	name := c.crowd.visits[c.random.IntN(len(c.crowd.visits))]
	visits[name](c, ctx, c.crowd.users[c.random.IntN(len(c.crowd.users))])
}

func (c *client) admin() int64 { return admins[c.random.IntN(len(admins))] }

// openPurchase opens one and remembers it; false if it was declined.
func (c *client) openPurchase(ctx context.Context, who *customer, code any) (purchase, bool) {
	key := c.key()
	tariff, months := "basic", 1
	if c.chance(20) {
		tariff = "plus"
	}
	if c.chance(10) {
		months = 3
	}
	op, _ := c.call(ctx, who, "billing.open_purchase", key, 0, history.Args{"p_telegram_id": who.id, "p_tariff": tariff,
		"p_months": months, "p_promo_code": code, "p_idempotency_key": key})
	return c.opened(who, op)
}

func (c *client) opened(who *customer, op history.Op) (purchase, bool) {
	if !op.IsAcknowledged() {
		return purchase{}, false
	}
	p := purchase{op.Answer["purchase_id"].(string), op.Answer["price_kopecks"].(int)}
	keep(who, &who.open, p)
	return p, true
}

func (c *client) pay(ctx context.Context, who *customer, p purchase) {
	op, _ := c.call(ctx, who, "billing.pay_from_balance", p.id, p.price,
		history.Args{"p_telegram_id": who.id, "p_purchase_id": p.id})
	if op.IsAcknowledged() {
		keep(who, &who.paid, p)
	}
}

func (c *client) buy(ctx context.Context, who *customer) {
	p, ok := c.openPurchase(ctx, who, nil)
	switch {
	case !ok:
	case c.chance(30): // a double tap
		together(func() { c.pay(ctx, who, p) }, func() { c.pay(ctx, who, p) })
	default:
		c.pay(ctx, who, p)
	}
}

func (c *client) buyWithCode(ctx context.Context, who *customer) {
	code := c.crowd.codes[c.random.IntN(len(c.crowd.codes))]
	if p, ok := c.openPurchase(ctx, who, code); ok && c.chance(80) {
		c.pay(ctx, who, p)
	}
}

// tap pays what somebody opened for the user, perhaps again, perhaps too late.
func (c *client) tap(ctx context.Context, who *customer) {
	if p, ok := pick(c.random, who, &who.open); ok {
		c.pay(ctx, who, p)
	}
}

// cancel gives up what somebody opened for the user, half of the time just now: most of the rest is paid by then.
func (c *client) cancel(ctx context.Context, who *customer) {
	p, ok := pick(c.random, who, &who.open)
	if c.chance(50) {
		p, ok = c.openPurchase(ctx, who, nil)
	}
	if ok {
		c.call(ctx, who, "billing.cancel_purchase", p.id, 0, history.Args{"p_telegram_id": who.id, "p_purchase_id": p.id})
	}
}

// settle brings a provider's money, through the webhook or the poller.
func (c *client) settle(ctx context.Context, conn history.Conn, who *customer, ch charge, purchase any) history.Op {
	op, _ := c.callOn(ctx, conn, who, "billing.settle_payment", ch.provider+" "+ch.id, 0, history.Args{
		"p_provider": ch.provider, "p_charge_id": ch.id, "p_purchase_id": purchase, "p_payer_id": nil,
		"p_amount_minor": ch.minor, "p_currency": ch.currency, "p_raw": nil})
	return op
}

// deliver is a provider's word about a charge: often twice at once, and now and then its reversal comes first.
func (c *client) deliver(ctx context.Context, who *customer, ch charge, p purchase) {
	o := c.crowd.options
	if c.chance(4) {
		c.takeBack(ctx, who, ch)
	}
	if c.chance(40) {
		together(func() { c.settle(ctx, o.Bot, who, ch, p.id) }, func() { c.settle(ctx, o.Worker, who, ch, p.id) })
	} else {
		c.settle(ctx, o.Bot, who, ch, p.id)
	}
	keep(who, &who.charges, ch)
}

func (c *client) topup(ctx context.Context, who *customer) {
	key, kopecks := c.key(), 10_000+c.random.IntN(60_000)
	op, _ := c.call(ctx, who, "billing.open_topup", key, 0,
		history.Args{"p_telegram_id": who.id, "p_amount_kopecks": kopecks, "p_idempotency_key": key})
	if p, ok := c.opened(who, op); ok {
		c.deliver(ctx, who, charge{"cryptobot", "T" + key, kopecks, "RUB"}, p)
	}
}

// buyByCard pays what was asked, or too little, or too much.
func (c *client) buyByCard(ctx context.Context, who *customer) {
	p, ok := c.openPurchase(ctx, who, nil)
	if !ok || p.price == 0 {
		return
	}
	kopecks := p.price
	switch c.random.IntN(10) {
	case 0:
		kopecks -= 101
	case 1:
		kopecks += 1 + c.random.IntN(5000)
	case 2:
		kopecks -= 50
	}
	c.deliver(ctx, who, charge{"cryptobot", "P" + c.key(), kopecks, "RUB"}, p)
	keep(who, &who.paid, p)
}

func (c *client) takeBack(ctx context.Context, who *customer, ch charge) {
	c.call(ctx, who, "billing.reverse_payment", ch.provider+" "+ch.id, 0, history.Args{"p_provider": ch.provider,
		"p_charge_id": ch.id, "p_amount_minor": ch.minor, "p_currency": ch.currency, "p_raw": nil})
}

func (c *client) reverse(ctx context.Context, who *customer) {
	ch, ok := pick(c.random, who, &who.charges)
	switch {
	case !ok:
	case c.chance(30):
		together(func() { c.takeBack(ctx, who, ch) }, func() { c.takeBack(ctx, who, ch) })
	default:
		c.takeBack(ctx, who, ch)
	}
}

// suspense is money that nobody knows what for; an admin, or two, give it to the user.
func (c *client) suspense(ctx context.Context, who *customer) {
	ch := charge{"cryptobot", "S" + c.key(), 100 + c.random.IntN(20_000), "RUB"}
	op := c.settle(ctx, c.crowd.options.Bot, who, ch, nil)
	if !op.IsAcknowledged() {
		return
	}
	payment := op.Answer["payment_id"].(int)
	assign := func(admin int64) func() {
		return func() {
			c.call(ctx, who, "billing.resolve_suspense", fmt.Sprint(payment), ch.minor, history.Args{"p_admin_id": admin,
				"p_payment_id": payment, "p_telegram_id": who.id, "p_amount_kopecks": nil, "p_note": "theirs"})
		}
	}
	if c.chance(30) {
		together(assign(admins[0]), assign(admins[1]))
	} else {
		assign(c.admin())()
	}
}

// manual is an admin who saw the money.
func (c *client) manual(ctx context.Context, who *customer) {
	if p, ok := c.openPurchase(ctx, who, nil); ok && p.price > 0 {
		c.call(ctx, who, "billing.approve_manual", p.id, p.price, history.Args{"p_admin_id": c.admin(),
			"p_purchase_id": p.id, "p_amount_kopecks": p.price, "p_note": "seen"})
		keep(who, &who.paid, p)
	}
}

func (c *client) refund(ctx context.Context, who *customer) {
	p, ok := pick(c.random, who, &who.paid)
	if !ok {
		return
	}
	give := func(admin int64) func() {
		return func() {
			c.call(ctx, who, "billing.refund_purchase", p.id, p.price,
				history.Args{"p_admin_id": admin, "p_purchase_id": p.id, "p_reason": "asked for it"})
		}
	}
	if c.chance(30) {
		together(give(admins[0]), give(admins[1]))
	} else {
		give(c.admin())()
	}
}

func (c *client) getCredit(ctx context.Context, who *customer) {
	c.credit(ctx, c.crowd.options.Bot, who, 1+c.random.IntN(30_000), c.key())
}

func (c *client) debit(ctx context.Context, who *customer) {
	key, kopecks := c.key(), 1+c.random.IntN(60_000)
	c.call(ctx, who, "wallet.debit", key, kopecks, history.Args{"p_telegram_id": who.id, "p_amount_kopecks": kopecks,
		"p_admin_id": c.admin(), "p_note": "load", "p_idempotency_key": key})
}

func (c *client) balance(ctx context.Context, who *customer) {
	c.call(ctx, who, "wallet.balance", "", 0, history.Args{"p_telegram_id": who.id})
}
