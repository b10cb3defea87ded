package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// adminMoneyFunctions are what the admins' screens about money ask.
func adminMoneyFunctions() []function {
	few := []bad{refuse("22023", nil, 0, -1, 101), accept(100)}
	payment := []bad{refuse("22023", nil), refuse("PY002", -1, 0, 1<<62)}
	job := []bad{refuse("22023", nil), refuse("VP002", -1, 0, 1<<62)}
	mine := []bad{refuse("22023", nil, 0, -1, 1<<52), refuse("VP002", bert, nobody)}
	suspended := "payment_id bigint, provider text, "
	return []function{
		{name: "billing.list_suspense", reads: true, allowed: "admin",
			returns: suspended + "amount_minor bigint, currency text, suspense_reason text, received_at timestamptz",
			args:    func(world) A { return A{"p_admin_id": boss, "p_after_id": nil, "p_limit": 10} },
			bad:     map[string][]bad{"p_limit": few, "p_after_id": {refuse("PY002", -1, 0, 1<<62), accept(nil)}}},
		{name: "billing.show_payment", reads: true, allowed: "admin",
			returns: suspended + "charge_id text, purchase_id uuid, payer_id bigint, payer_name text, amount_minor bigint, " +
				"currency text, received_kopecks bigint, outcome text, suspense_reason text, received_at timestamptz, " +
				"telegram_id bigint, username text, worth_kopecks bigint, resolved_by bigint, resolved_by_name text, " +
				"resolved_at timestamptz, resolution_note text, reversed_at timestamptz, raw text",
			args: func(w world) A { return A{"p_admin_id": boss, "p_payment_id": w.suspense} },
			bad:  map[string][]bad{"p_payment_id": payment}},
		{name: "billing.list_unpaid", reads: true, allowed: "admin",
			returns: "purchase_id uuid, kind text, status text, tariff text, months integer, price_kopecks bigint, opened_at timestamptz",
			args:    func(world) A { return A{"p_admin_id": boss, "p_telegram_id": anna, "p_limit": 10} },
			bad:     map[string][]bad{"p_limit": few}},
		{name: "billing.inspect_purchase", reads: true, allowed: "admin",
			returns: "purchase_id uuid, telegram_id bigint, username text, kind text, status text, tariff text, months integer, " +
				"price_kopecks bigint, opened_at timestamptz, expires_at timestamptz, closed_at timestamptz, paid_with text, " +
				"manual_kopecks bigint, manual_by bigint, manual_by_name text, manual_at timestamptz, manual_outcome text, " +
				"refunded_kopecks bigint, refunded_by bigint, refunded_by_name text, refunded_at timestamptz, is_refundable boolean",
			args: func(w world) A { return A{"p_admin_id": boss, "p_purchase_id": w.open} }},
		{name: "vpn.list_undelivered", reads: true, allowed: "admin",
			returns: "job_id bigint, telegram_id bigint, username text, promised_at timestamptz, attempts integer, " +
				"is_failed boolean, last_error text",
			args: func(world) A {
				return A{"p_admin_id": boss, "p_is_tried": true, "p_after_user": nil, "p_after_id": nil, "p_limit": 10}
			},
			bad: map[string][]bad{"p_limit": few, "p_is_tried": {refuse("22023", nil), accept(false)},
				"p_after_user": {refuse("22023", anna)}, "p_after_id": {refuse("22023", 1)}}},
		{name: "vpn.show_job", reads: true, allowed: "admin",
			returns: "job_id bigint, telegram_id bigint, username text, purchase_id uuid, promised_at timestamptz, " +
				"attempts integer, due_at timestamptz, status text, last_error text",
			args: func(w world) A { return A{"p_admin_id": boss, "p_telegram_id": anna, "p_job_id": w.job["job_id"]} },
			bad:  map[string][]bad{"p_job_id": job, "p_telegram_id": mine}},
		{name: "vpn.retry_job", allowed: "admin", switche: "admin_actions",
			returns: "job_id bigint, status text, is_retried boolean",
			args:    func(w world) A { return A{"p_admin_id": boss, "p_telegram_id": anna, "p_job_id": w.job["job_id"]} },
			bad: map[string][]bad{"p_job_id": job,
				"p_telegram_id": {refuse("22023", nil, 0, -1, 1<<52), refuse("US001", nobody), refuse("VP002", bert)}}},
	}
}

func TestSuspenseIsListed(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	var ids []int
	for i := range 5 { // two at the same moment
		b.owner.At(at.Add(time.Duration(i/2) * time.Minute))
		ids = append(ids, b.Settle(string(rune('a'+i)), unknown, 500+i)["payment_id"].(int))
	}
	page := func(after any, limit int) []int {
		found := []int{}
		for _, row := range b.All("billing.list_suspense", A{"p_admin_id": boss, "p_after_id": after, "p_limit": limit}) {
			found = append(found, row["payment_id"].(int))
		}
		return found
	}
	require.Equal(t, ids, page(nil, 100))
	require.Equal(t, ids[:2], page(nil, 2))
	b.One("billing.resolve_suspense", resolution(ids[1], anna, nil))
	require.Equal(t, ids[2:4], page(ids[1], 2), "after one that was assigned meanwhile")
	require.Equal(t, []int{ids[0], ids[2], ids[3], ids[4]}, page(nil, 100))
	require.Empty(t, page(ids[4], 2))
	require.Equal(t, Row{"payment_id": ids[0], "provider": "cryptobot", "amount_minor": 500, "currency": "RUB",
		"suspense_reason": "unknown_purchase", "received_at": at},
		b.All("billing.list_suspense", A{"p_admin_id": boss, "p_after_id": nil, "p_limit": 1})[0])
}

func resolution(payment, user int, kopecks any) A {
	return A{"p_admin_id": boss, "p_payment_id": payment, "p_telegram_id": user, "p_amount_kopecks": kopecks, "p_note": "seen"}
}

func TestShownPayment(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.One("billing.settle_payment", desk.Money("stars", "s1", unknown, bert, 88, "XTR"))["payment_id"].(int)
	show := func() Row { return b.One("billing.show_payment", A{"p_admin_id": boss, "p_payment_id": id}) }
	require.Equal(t, Row{"payment_id": id, "provider": "stars", "charge_id": "s1", "purchase_id": unknown, "payer_id": bert,
		"payer_name": "user_1002", "amount_minor": 88, "currency": "XTR", "received_kopecks": nil, "outcome": "suspense",
		"suspense_reason": "unknown_purchase", "received_at": at, "telegram_id": nil, "username": nil, "worth_kopecks": nil,
		"resolved_by": nil, "resolved_by_name": nil, "resolved_at": nil, "resolution_note": nil, "reversed_at": nil,
		"raw": `{"from": "provider"}`}, show())
	b.One("billing.resolve_suspense", resolution(id, anna, 14900))
	require.Equal(t, Row{"outcome": "credited", "telegram_id": anna, "username": "user_1001", "worth_kopecks": 14900,
		"resolved_by": boss, "resolved_by_name": "user_1", "resolved_at": at, "resolution_note": "seen"},
		pick(show(), "outcome", "telegram_id", "username", "worth_kopecks", "resolved_by", "resolved_by_name", "resolved_at", "resolution_note"))

	rub := b.Settle("r1", unknown, 500)["payment_id"].(int)
	require.Equal(t, 500, b.One("billing.show_payment", A{"p_admin_id": boss, "p_payment_id": rub})["received_kopecks"])
}

func TestUnpaidPurchases(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	old := b.Open(anna, "basic", 1, "1")
	b.owner.At(at.Add(time.Minute))
	b.Buy(anna, "basic", 1, "2")
	gone := b.Open(anna, "plus", 1, "3")
	b.One("billing.cancel_purchase", desk.Mine(anna, gone))
	b.owner.At(at.Add(29*time.Minute + 59*time.Second))
	topup := b.Topup(anna, 50000, "4")
	list := func(limit int) []Row {
		return b.All("billing.list_unpaid", A{"p_admin_id": boss, "p_telegram_id": anna, "p_limit": limit})
	}
	b.owner.At(at.Add(30 * time.Minute))
	require.Equal(t, []Row{
		{"purchase_id": topup, "kind": "topup", "status": "open", "tariff": nil, "months": nil, "price_kopecks": 50000,
			"opened_at": at.Add(29*time.Minute + 59*time.Second)},
		{"purchase_id": gone, "kind": "subscription", "status": "cancelled", "tariff": "plus", "months": 1,
			"price_kopecks": desk.Plus1, "opened_at": at.Add(time.Minute)},
		{"purchase_id": old, "kind": "subscription", "status": "expired", "tariff": "basic", "months": 1,
			"price_kopecks": desk.Basic1, "opened_at": at},
	}, list(10))
	require.Len(t, list(1), 1)
}

func TestInspectedPurchase(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.Open(bert, "basic", 1, "1")
	inspect := func(id string) Row {
		return b.One("billing.inspect_purchase", A{"p_admin_id": boss, "p_purchase_id": id})
	}
	require.Equal(t, Row{"purchase_id": id, "telegram_id": bert, "username": "user_1002", "kind": "subscription", "status": "open",
		"tariff": "basic", "months": 1, "price_kopecks": desk.Basic1, "opened_at": at, "expires_at": at.Add(30 * time.Minute),
		"closed_at": nil, "paid_with": nil, "manual_kopecks": nil, "manual_by": nil, "manual_by_name": nil, "manual_at": nil,
		"manual_outcome": nil, "refunded_kopecks": nil, "refunded_by": nil, "refunded_by_name": nil, "refunded_at": nil,
		"is_refundable": false}, inspect(id))
	b.One("billing.approve_manual", A{"p_admin_id": boss, "p_purchase_id": id, "p_amount_kopecks": desk.Basic1, "p_note": "seen"})
	require.Equal(t, Row{"status": "paid", "paid_with": "manual", "closed_at": at, "manual_kopecks": desk.Basic1, "manual_by": boss,
		"manual_by_name": "user_1", "manual_at": at, "manual_outcome": "applied", "is_refundable": true},
		pick(inspect(id), "status", "paid_with", "closed_at", "manual_kopecks", "manual_by", "manual_by_name", "manual_at",
			"manual_outcome", "is_refundable"))
	b.owner.At(at.Add(time.Minute))
	b.One("billing.refund_purchase", A{"p_admin_id": boss, "p_purchase_id": id, "p_reason": "asked"})
	require.Equal(t, Row{"status": "refunded", "refunded_kopecks": desk.Basic1, "refunded_by": boss, "refunded_by_name": "user_1",
		"refunded_at": at.Add(time.Minute), "is_refundable": false},
		pick(inspect(id), "status", "refunded_kopecks", "refunded_by", "refunded_by_name", "refunded_at", "is_refundable"))

	late := b.Open(bert, "basic", 1, "2")
	b.owner.At(at.Add(time.Hour))
	require.Equal(t, "expired", inspect(late)["status"], "before anybody has closed it, too")
	b.Reconciled()
}

// undelivered lists the jobs of a page.
func (b *bundle) undelivered(isTried bool, after Row, limit int) []Row {
	b.Helper()
	args := A{"p_admin_id": boss, "p_is_tried": isTried, "p_after_user": nil, "p_after_id": nil, "p_limit": limit}
	if after != nil {
		args = args.With("p_after_user", after["telegram_id"]).With("p_after_id", after["job_id"])
	}
	return b.All("vpn.list_undelivered", args)
}

func TestUndeliveredKeys(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	for id := 2001; id <= 2005; id++ {
		b.User(id)
		b.Credit(id, desk.Basic1)
		b.Buy(id, "basic", 1, "k")
	}
	all := b.undelivered(false, nil, 100)
	require.Len(t, all, 5)
	require.Equal(t, Row{"telegram_id": 2001, "username": "user_2001", "promised_at": at, "attempts": 0, "is_failed": false,
		"last_error": nil}, pick(all[0], "telegram_id", "username", "promised_at", "attempts", "is_failed", "last_error"))
	require.Equal(t, all[2:4], b.undelivered(false, all[1], 2))
	require.Empty(t, b.undelivered(false, all[4], 2))
	require.Empty(t, b.undelivered(true, nil, 100), "nothing was tried")

	jobs := b.jobs("w", 4)
	b.One("vpn.complete_job", of(jobs[0], "p_key_uri", "vless://a"))
	for _, job := range jobs[1:] {
		b.One("vpn.fail_job", of(job, "p_error", "503"))
	}
	tried := b.undelivered(true, nil, 100)
	require.Len(t, tried, 3)
	require.Equal(t, Row{"attempts": 1, "is_failed": false, "last_error": "503"}, pick(tried[0], "attempts", "is_failed", "last_error"))
	require.Equal(t, tried[1:], b.undelivered(true, tried[0], 100))
	require.Len(t, b.undelivered(false, nil, 100), 1)

	b.One("subscription.revoke", A{"p_admin_id": boss, "p_telegram_id": jobs[1]["telegram_id"], "p_reason": "r", "p_idempotency_key": "k"})
	for _, job := range jobs[1:] { // given up
		b.owner.Query(`update outbox.task set finished_at = core.now(), outcome = 'failed' where task_id = $1`, job["job_id"])
		b.owner.Query(`update subscription.subscription set activation = 'failed' where telegram_id = $1 and expires_at > core.now()`,
			job["telegram_id"])
	}
	b.owner.Query(`update subscription.subscription set activation = 'active' where telegram_id = $1`, jobs[2]["telegram_id"])
	left := b.undelivered(true, nil, 100)
	require.Len(t, left, 1, "one is over, and one has got a key since")
	require.Equal(t, Row{"job_id": jobs[3]["job_id"], "is_failed": true}, pick(left[0], "job_id", "is_failed"))
}

func TestRetriedKey(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "k")
	job := b.jobs("w", 1)[0]
	args := A{"p_admin_id": boss, "p_telegram_id": anna, "p_job_id": job["job_id"]}
	status := func() any { return b.One("vpn.show_job", args)["status"] }
	retry := func(status string, isRetried bool) {
		t.Helper()
		require.Equal(t, Row{"job_id": job["job_id"], "status": status, "is_retried": isRetried}, b.One("vpn.retry_job", args))
	}
	require.Equal(t, "working", status())
	retry("working", false)
	b.One("vpn.fail_job", of(job, "p_error", "503"))
	require.Equal(t, "waiting", status())
	require.Empty(t, b.jobs("w", 1), "it waits")
	for range 2 {
		retry("waiting", true)
	}
	for range 4 {
		retry("waiting", true)
		job = b.jobs("w", 1)[0]
		b.One("vpn.fail_job", of(job, "p_error", "no"))
	}
	require.Equal(t, "failed", status())
	require.Equal(t, "failed", b.One("subscription.current", A{"p_telegram_id": anna})["activation"])
	require.Empty(t, b.jobs("w", 1))

	t.Log("given up: it begins anew, and whoever had it then has lost it")
	lost := job
	retry("waiting", true)
	require.Equal(t, "pending", b.One("subscription.current", A{"p_telegram_id": anna})["activation"])
	b.Refused("VP001", "vpn.complete_job", of(lost, "p_key_uri", "vless://old"))
	job = b.jobs("w", 1)[0]
	require.Equal(t, 1, job["attempt"])
	b.One("vpn.complete_job", of(job, "p_key_uri", "vless://a"))
	require.Equal(t, "delivered", status())
	retry("delivered", false)

	t.Log("a job of later: the key that was delivered stays good")
	b.Buy(anna, "basic", 1, "later")
	job = b.jobs("w", 1)[0]
	b.One("vpn.fail_job", of(job, "p_error", "503"))
	require.Equal(t, true, b.One("vpn.retry_job", args.With("p_job_id", job["job_id"]))["is_retried"])
	require.Equal(t, "active", b.One("subscription.current", A{"p_telegram_id": anna})["activation"])
	b.One("vpn.complete_job", of(b.jobs("w", 1)[0], "p_key_uri", "vless://a"))
	require.Equal(t, 8, b.count("audit.entry where action = 'vpn.retry_job' and actor_id = 1 and subject_id = '1001'"))
	b.Reconciled()

	t.Log("given up, and not needed any more")
	b.Credit(bert, desk.Basic1)
	b.Buy(bert, "basic", 1, "k")
	job = b.jobs("w", 1)[0]
	args = args.With("p_telegram_id", bert).With("p_job_id", job["job_id"])
	b.owner.Query(`update outbox.task set finished_at = core.now(), outcome = 'failed' where task_id = $1`, job["job_id"])
	b.owner.Query(`update subscription.subscription set activation = 'active' where telegram_id = $1`, bert)
	require.Equal(t, "delivered", status(), "by another job")
	b.owner.At(at.AddDate(0, 2, 0))
	require.Equal(t, "stale", status())
	retry("stale", false)
}
