package isolation_test

import (
	"slices"
	"strings"
)

// step is a call of the contract about Anna.
type step struct {
	name   string // the function's, and after a space what is special about the call
	scenes string // where it has something to do, the usual one first
	sql    string // with no column that differs from run to run
}

const anywhere = "subscriber withdrawing unclaimed renewing over newcomer"

// function is the function that a step calls.
func (s step) function() string {
	name, _, _ := strings.Cut(s.name, " ")
	return name
}

// sceneOf is where two steps meet: where both have something to do, if there is such a scene, else where the first has.
func sceneOf(first, second step) string {
	scenes := strings.Fields(first.scenes)
	for _, scene := range scenes {
		if slices.Contains(strings.Fields(second.scenes), scene) {
			return scene
		}
	}
	return scenes[0]
}

// steps is at least one call of every function that can meet another on one user: what takes the user's lock, works the
// user's tasks off, changes the terms of a code that the user holds, or the rights of the admin who acts.
var steps = []step{
	{"account.register", anywhere,
		`select is_new, bind_refusal from account.register(1001, 'new name', 'en', null)`},
	{"account.set_language", anywhere,
		`select 'set' as language from account.set_language(1001, 'ru')`},
	{"account.set_reachable", anywhere,
		`select 'set' as reachable from account.set_reachable(1001, false)`},
	{"account.block", anywhere,
		`select is_blocked from account.block(1, 1001, 'why')`},
	{"account.unblock", "blocked",
		`select is_blocked from account.unblock(1, 1001, 'why')`},
	{"account.set_vip", anywhere,
		`select discount_percent from account.set_vip(1, 1001, true)`},
	{"account.set_discount", anywhere,
		`select discount_percent from account.set_discount(1, 1001, 40, null)`},
	{"account.request_corporate", "subscriber unclaimed renewing newcomer",
		`select 'asked' as request, is_replay from account.request_corporate(1001, 'Acme', 'me', 'k')`},
	{"account.cancel_corporate", "withdrawing over",
		`select 'taken back' as request, is_replay from account.cancel_corporate(1001, scene.corporate())`},
	{"account.close_corporate", "withdrawing over",
		`select 'closed' as request, is_replay from account.close_corporate(1, 1001, scene.corporate())`},
	{"account.grant_admin", anywhere,
		`select is_admin from account.grant_admin(1, 'again')`},
	{"account.revoke_admin", anywhere,
		`select is_admin from account.revoke_admin(1, 'gone')`},
	{"wallet.credit", anywhere,
		`select available_kopecks as available, held_kopecks as held, is_replay from wallet.credit(1001, 5000, 1, 'why', 'k')`},
	{"wallet.debit", "subscriber unclaimed renewing over newcomer",
		`select available_kopecks as available, held_kopecks as held, is_replay from wallet.debit(1001, 60000, 1, 'why', 'k')`},
	{"promo.set_limit", anywhere,
		`select max_uses, is_replay from promo.set_limit(1, 'SPRING', 3)`},
	{"promo.disable", anywhere,
		`select is_active, is_replay from promo.disable(1, 'SPRING')`},
	{"billing.open_purchase", anywhere,
		`select price_kopecks as price, discount_kind as discount, scene.away(subscription_expires_at) as ends, is_replay
		from billing.open_purchase(1001, 'basic', 1, null, 'k')`},
	{"billing.open_purchase with code", anywhere,
		`select price_kopecks as price, discount_kind as discount, scene.away(subscription_expires_at) as ends, is_replay
		from billing.open_purchase(1001, 'basic', 1, 'SPRING', 'k2')`},
	{"billing.open_topup", anywhere,
		`select price_kopecks as price, is_replay from billing.open_topup(1001, 75000, 'k')`},
	{"billing.pay_from_balance", anywhere,
		`select status, available_kopecks as available, scene.away(subscription_expires_at) as ends, is_replay
		from billing.pay_from_balance(1001, scene.purchase('buy'))`},
	{"billing.cancel_purchase", anywhere,
		`select status, is_replay from billing.cancel_purchase(1001, scene.purchase('buy'))`},
	{"billing.attach_invoice", anywhere,
		`select 'attached' as invoice, is_replay from billing.attach_invoice(scene.purchase('buy'), 'cryptobot', 'i', 11920, 'RUB')`},
	{"billing.settle_payment", anywhere,
		`select outcome, credited_kopecks as credited, scene.away(subscription_expires_at) as ends, is_replay
		from billing.settle_payment('cryptobot', 'new', scene.purchase('buy'), null, 11920, 'RUB', null)`},
	{"billing.reverse_payment", "subscriber withdrawing unclaimed blocked",
		`select outcome, debt_kopecks as debt, is_replay from billing.reverse_payment('cryptobot', 'second', 14900, 'RUB', null)`},
	{"billing.begin_refund", "subscriber withdrawing unclaimed blocked",
		`select outcome, is_replay from billing.begin_refund(1, 'cryptobot', 'second', 'why')`},
	{"billing.approve_manual", anywhere,
		`select outcome, credited_kopecks as credited, scene.away(subscription_expires_at) as ends, is_replay
		from billing.approve_manual(1, scene.purchase('buy'), 11920, 'seen')`},
	{"billing.resolve_suspense", anywhere,
		`select outcome, is_replay from billing.resolve_suspense(1, scene.payment('lost'), 1001, null, 'hers')`},
	{"billing.refund_purchase", "subscriber withdrawing unclaimed renewing over blocked",
		`select refunded_kopecks as refunded, scene.away(subscription_expires_at) as ends, is_replay
		from billing.refund_purchase(1, scene.purchase('first'), 'why')`},
	{"billing.expire_due", anywhere,
		`select expired from billing.expire_due(null, 10)`},
	{"subscription.start_trial", "newcomer",
		`select scene.away(expires_at) as ends, is_replay from subscription.start_trial(1001, 'k')`},
	{"subscription.grant_time", anywhere,
		`select scene.away(expires_at) as ends, is_replay from subscription.grant_time(1, 1001, 'plus', '7 days', 'why', 'k')`},
	{"subscription.revoke", "subscriber withdrawing unclaimed renewing blocked",
		`select scene.away(expires_at) as ends, is_replay from subscription.revoke(1, 1001, 'why', 'k')`},
	{"subscription.set_auto_renew", "subscriber withdrawing unclaimed over blocked",
		`select auto_renew from subscription.set_auto_renew(1001, true)`},
	{"subscription.renew_due", "renewing",
		`select renewed, declined from subscription.renew_due(null, 10)`},
	{"subscription.expire_due", "over",
		`select expired from subscription.expire_due(null, 10)`},
	{"vpn.claim_jobs", "unclaimed",
		`select count(*) as jobs from vpn.claim_jobs('w', 10, '1 minute') where telegram_id = 1001`},
	{"vpn.complete_job", "subscriber withdrawing renewing blocked",
		`select 'done' as job, is_replay from vpn.complete_job(scene.task('provision'), scene.token('provision'), 'vless://k')`},
	{"vpn.fail_job", "subscriber withdrawing renewing blocked",
		`select will_retry, scene.away(next_attempt_at) as next
		from vpn.fail_job(scene.task('provision'), scene.token('provision'), 'refused')`},
	{"vpn.release_job", "subscriber withdrawing renewing blocked",
		`select scene.away(next_attempt_at) as next from vpn.release_job(scene.task('provision'), scene.token('provision'), 'down')`},
	{"vpn.retry_job", "subscriber withdrawing renewing over blocked",
		`select status, is_retried from vpn.retry_job(1, 1001, scene.task('provision'))`},
	{"vpn.reissue", "subscriber withdrawing unclaimed renewing",
		`select 'new' as identity, is_replay from vpn.reissue(1001, null, 'k')`},
	{"vpn.reissue_due", "subscriber withdrawing unclaimed renewing",
		`select reissued from vpn.reissue_due(null, 10)`},
	{"vpn.move_keys", "subscriber withdrawing unclaimed renewing",
		`select moved from vpn.move_keys(1, 'old-1', 10)`},
	{"notify.enqueue_due", "subscriber withdrawing unclaimed blocked",
		`select enqueued from notify.enqueue_due(null, 10)`},
	{"notify.claim", "unclaimed",
		`select count(*) as messages from notify.claim('w', 10, '1 minute') where telegram_id = 1001`},
	{"notify.sent", "subscriber withdrawing renewing over newcomer blocked",
		`select is_recorded from notify.sent(scene.task('message'), scene.token('message'))`},
	{"notify.failed", "subscriber withdrawing renewing over newcomer blocked",
		`select is_recorded from notify.failed(scene.task('message'), scene.token('message'), 'blocked', true)`},
	{"notify.release", "subscriber withdrawing renewing over newcomer blocked",
		`select is_recorded from notify.release(scene.task('message'), scene.token('message'), 'wait', '1 minute')`},
	{"broadcast.failed", anywhere,
		`select is_recorded from broadcast.failed(scene.broadcast(), 1001, '00000000-0000-4000-8000-000000000001', 'gone', true)`},
	{"referral.pay_due", anywhere,
		`select paid, paid_kopecks from referral.pay_due(null, 10)`},
	{"withdrawal.request", "subscriber unclaimed renewing over newcomer",
		`select status, available_kopecks as available, held_kopecks as held, is_replay
		from withdrawal.request(1001, 60000, 'v1:aaaa', 'k')`},
	{"withdrawal.draft", "subscriber unclaimed renewing over newcomer",
		`select scene.away(expires_at) as expires, is_replay from withdrawal.draft(1001, 60000, 'v1:aaaa', 'k')`},
	{"withdrawal.submit", "subscriber unclaimed renewing over newcomer",
		`select status, available_kopecks as available, held_kopecks as held, is_replay
		from withdrawal.submit(1001, scene.draft('draft'))`},
	{"withdrawal.approve", "withdrawing",
		`select status, approvals, is_replay from withdrawal.approve(1, scene.withdrawal('pending'))`},
	{"withdrawal.reject", "withdrawing",
		`select status, is_replay from withdrawal.reject(1, scene.withdrawal('pending'), 'why')`},
	{"withdrawal.cancel", "withdrawing",
		`select status, is_replay from withdrawal.cancel(1001, scene.withdrawal('pending'))`},
	{"withdrawal.purge_due", anywhere,
		`select purged from withdrawal.purge_due(null, 10)`},
	{"ops.rebuild_wallet", anywhere,
		`select was_different, version_before = version as same_version from ops.rebuild_wallet(1001)`},
}
