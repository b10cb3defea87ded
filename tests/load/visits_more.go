package load

import (
	"context"
	"fmt"
	"time"

	"atlas-secure/tests/history"
)

// sealed stands for requisites: the database stores what the application has encrypted.
const sealed = "v1:bG9hZA=="

func (c *client) requested(who *customer, op history.Op, kopecks int) {
	if op.IsAcknowledged() {
		keep(who, &who.withdrawals, withdrawal{op.Answer["withdrawal_id"].(int), kopecks})
	}
}

// toTakeOut is a sum that somebody means to withdraw. Most of the time an admin gives it first: a wallet that many use
// at once would hardly ever have so much.
func (c *client) toTakeOut(ctx context.Context, who *customer) (kopecks int) {
	kopecks = 50_000 + c.random.IntN(50_000)
	if c.chance(70) {
		c.credit(ctx, c.crowd.options.Bot, who, kopecks, c.key())
	}
	return kopecks
}

func (c *client) withdraw(ctx context.Context, who *customer) {
	key, kopecks := c.key(), c.toTakeOut(ctx, who)
	op, _ := c.call(ctx, who, "withdrawal.request", key, kopecks, history.Args{"p_telegram_id": who.id,
		"p_amount_kopecks": kopecks, "p_requisites": sealed, "p_idempotency_key": key})
	c.requested(who, op, kopecks)
}

// draft is the dialogue's way: twice submitted now and then.
func (c *client) draft(ctx context.Context, who *customer) {
	key, kopecks := c.key(), c.toTakeOut(ctx, who)
	op, _ := c.call(ctx, who, "withdrawal.draft", key, kopecks, history.Args{"p_telegram_id": who.id,
		"p_amount_kopecks": kopecks, "p_requisites": sealed, "p_idempotency_key": key})
	if !op.IsAcknowledged() {
		return
	}
	id := op.Answer["draft_id"].(string)
	submit := func() {
		submitted, _ := c.call(ctx, who, "withdrawal.submit", id, kopecks,
			history.Args{"p_telegram_id": who.id, "p_draft_id": id})
		c.requested(who, submitted, kopecks)
	}
	if c.chance(30) {
		together(submit, submit)
	} else {
		submit()
	}
}

// decide ends a withdrawal, half of the time the latest, which is the one that may still be pending: two who want
// different ends now and then meet.
func (c *client) decide(ctx context.Context, who *customer) {
	w, ok := pick(c.random, who, &who.withdrawals)
	if c.chance(50) {
		w, ok = last(who, &who.withdrawals)
	}
	if !ok {
		return
	}
	id, key := w.id, fmt.Sprint(w.id)
	approve := func() {
		c.call(ctx, who, "withdrawal.approve", key, w.amount, history.Args{"p_admin_id": admins[0], "p_withdrawal_id": id})
	}
	reject := func() {
		c.call(ctx, who, "withdrawal.reject", key, w.amount,
			history.Args{"p_admin_id": admins[1], "p_withdrawal_id": id, "p_reason": "no"})
	}
	cancel := func() {
		c.call(ctx, who, "withdrawal.cancel", key, w.amount, history.Args{"p_telegram_id": who.id, "p_withdrawal_id": id})
	}
	switch c.random.IntN(8) {
	case 0:
		together(approve, reject)
	case 1:
		together(approve, cancel)
	case 2:
		together(reject, cancel)
	case 3, 4:
		approve()
	case 5, 6:
		reject()
	default:
		cancel()
	}
}

// trial asks for one, half of the time after what is in force was taken away: else hardly anybody would get one.
func (c *client) trial(ctx context.Context, who *customer) {
	if c.chance(50) {
		c.revoke(ctx, who)
	}
	key := c.key()
	c.call(ctx, who, "subscription.start_trial", key, 0, history.Args{"p_telegram_id": who.id, "p_idempotency_key": key})
}

func (c *client) grant(ctx context.Context, who *customer) {
	key := c.key()
	c.call(ctx, who, "subscription.grant_time", key, 0, history.Args{"p_admin_id": c.admin(), "p_telegram_id": who.id,
		"p_tariff": "basic", "p_duration": "1 day", "p_reason": "load", "p_idempotency_key": key})
}

func (c *client) revoke(ctx context.Context, who *customer) {
	key := c.key()
	c.call(ctx, who, "subscription.revoke", key, 0, history.Args{"p_admin_id": c.admin(), "p_telegram_id": who.id,
		"p_reason": "load", "p_idempotency_key": key})
}

// renewal brings a subscription near its end, wants it to renew itself, and lets two workers see to that.
func (c *client) renewal(ctx context.Context, who *customer) {
	c.revoke(ctx, who)
	c.grant(ctx, who)
	c.call(ctx, who, "subscription.set_auto_renew", "", 0, history.Args{"p_telegram_id": who.id, "p_is_on": true})
	together(func() { c.batch(ctx, "subscription.renew_due") }, func() { c.batch(ctx, "subscription.renew_due") })
}

func (c *client) batch(ctx context.Context, function string) {
	c.call(ctx, nil, function, "", 0, history.Args{"p_epoch": nil, "p_limit": 100})
}

func (c *client) batches(ctx context.Context, _ *customer) {
	all := []string{"subscription.renew_due", "billing.expire_due", "subscription.expire_due", "referral.pay_due"}
	c.batch(ctx, all[c.random.IntN(len(all))])
}

// lease of jobs and messages: the shortest there is, so that what a lost claim has handed out soon comes back.
const (
	lease     = time.Second
	leaseText = "1 second"
)

func (c *client) claim(ctx context.Context, function string, limit int) []map[string]any {
	_, rows := c.call(ctx, nil, function, "", 0,
		history.Args{"p_holder": fmt.Sprint("load-", c.id), "p_limit": limit, "p_lease": leaseText})
	return rows
}

// jobs takes some and does them; one in ten fails.
func (c *client) jobs(ctx context.Context, _ *customer) { c.work(ctx, 1+c.random.IntN(5), 10) }

func (c *client) work(ctx context.Context, limit, failing int) int {
	rows := c.claim(ctx, "vpn.claim_jobs", limit)
	for _, row := range rows {
		who := &customer{id: int64(row["telegram_id"].(int))}
		if c.chance(failing) {
			c.call(ctx, who, "vpn.fail_job", "", 0,
				history.Args{"p_job_id": row["job_id"], "p_lease_token": row["lease_token"], "p_error": "load"})
			continue
		}
		c.call(ctx, who, "vpn.complete_job", fmt.Sprint(row["job_id"], " ", row["lease_token"]), 0, history.Args{
			"p_job_id": row["job_id"], "p_lease_token": row["lease_token"], "p_key_uri": fmt.Sprint("vless://", row["vpn_uuid"])})
	}
	return len(rows)
}

func (c *client) messages(ctx context.Context, _ *customer) { c.send(ctx, 1+c.random.IntN(10)) }

func (c *client) send(ctx context.Context, limit int) int {
	rows := c.claim(ctx, "notify.claim", limit)
	for _, row := range rows {
		c.call(ctx, &customer{id: int64(row["telegram_id"].(int))}, "notify.sent", "", 0,
			history.Args{"p_message_id": row["message_id"], "p_lease_token": row["lease_token"]})
	}
	return len(rows)
}

const (
	drainLimit = 1000 // jobs or messages at once: one of each user
	drainPoll  = 20 * time.Millisecond
)

// Drain lets a worker pay the cashback that is promised, and take over the jobs and messages that claims handed out whose
// answers were lost, once their leases are over. Whoever uses Start calls it after the faults have ended.
func (c *Crowd) Drain(ctx context.Context) {
	worker := c.client(c.options.Clients)
	worker.batch(ctx, "referral.pay_due")
	for c.lostWork.Load() > 0 && ctx.Err() == nil {
		lost := c.lostWork.Load()
		for c.history.Now() < time.Duration(lost)+lease+drainPoll {
			if !rest(ctx, drainPoll) {
				return
			}
		}
		worker.work(ctx, drainLimit, 0)
		worker.send(ctx, drainLimit)
		c.lostWork.CompareAndSwap(lost, 0)
	}
}
