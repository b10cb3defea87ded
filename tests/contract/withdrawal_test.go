package contract_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

const (
	sealed  = "v1:c2VhbGVk"
	least   = 50000   // the smallest withdrawal
	fourEye = 5000000 // from here on two admins
	second  = 5       // another admin
	third   = 6
)

const shownWithdrawal = "withdrawal_id bigint, telegram_id bigint, username text, status text, amount_kopecks bigint, " +
	"requested_at timestamptz, approvals integer, approvals_needed integer, approvers jsonb, debt_kopecks bigint, " +
	"ended_at timestamptz, ended_by bigint, ended_by_name text, reason text, is_own boolean, is_approved_by_you boolean"

func withdrawalFunctions() []function {
	requested := "withdrawal_id bigint, status text, available_kopecks bigint, held_kopecks bigint, is_replay boolean"
	ask := func(world) A { return wish(anna, least, "key") }
	pending := func(more A) func(w world) A {
		return func(w world) A {
			args := A{"p_withdrawal_id": w.owner.Value("select withdrawal_id from withdrawal.withdrawal where status = 'pending'")}
			for name, value := range more {
				args[name] = value
			}
			return args
		}
	}
	requisites := []bad{
		refuse("22023", nil, "", "v1:", "v2:AAAA", "AAAA", "v1:AA AA", "v1:AAAA\n", "v1:AA=A", "v1:AAAA===", "v1:ключ",
			"4111 1111 1111 1111", "v1:"+strings.Repeat("A", 4094), long, control),
		accept("v1:"+strings.Repeat("A", 4093), "v1:a+/Z09==")}
	id := []bad{refuse("22023", nil), refuse("WD001", -1, 0, 1<<62)}
	return []function{
		{name: "withdrawal.request", allowed: "bot", switche: "withdrawals", returns: requested, args: ask,
			bad: map[string][]bad{"p_requisites": requisites}},
		{name: "withdrawal.draft", allowed: "bot", switche: "withdrawals", args: ask,
			returns: "draft_id uuid, expires_at timestamptz, is_replay boolean",
			bad:     map[string][]bad{"p_requisites": requisites}},
		{name: "withdrawal.submit", allowed: "bot", switche: "withdrawals", returns: requested,
			args: func(w world) A {
				return A{"p_telegram_id": anna, "p_draft_id": w.owner.Value("select draft_id from withdrawal.draft")}
			},
			bad: map[string][]bad{"p_draft_id": {refuse("22023", nil), refuse("WD001", unknown)}}},
		{name: "withdrawal.show_draft", reads: true, allowed: "bot",
			returns: "draft_id uuid, status text, amount_kopecks bigint, requisites text, expires_at timestamptz, withdrawal_id bigint",
			args: func(w world) A {
				return A{"p_telegram_id": anna, "p_draft_id": w.owner.Value("select draft_id from withdrawal.draft")}
			},
			bad: map[string][]bad{"p_draft_id": {refuse("22023", nil), refuse("WD001", unknown)},
				"p_telegram_id": {refuse("22023", nil, 0, -1, 1<<52), refuse("WD001", bert, nobody)}}},
		{name: "withdrawal.validate", reads: true, allowed: "bot", switche: "withdrawals",
			returns: "amount_kopecks bigint, left_kopecks bigint",
			args:    func(world) A { return A{"p_telegram_id": anna, "p_amount_kopecks": least} },
			bad: map[string][]bad{"p_amount_kopecks": append(usual["p_amount_kopecks"],
				refuse("WD003", 1, least-1), refuse("WA001", 1_000_000_000_000))}},
		{name: "withdrawal.cancel", allowed: "bot", args: pending(A{"p_telegram_id": bert}),
			returns: "withdrawal_id bigint, status text, is_replay boolean", bad: map[string][]bad{"p_withdrawal_id": id}},
		{name: "withdrawal.approve", allowed: "admin", switche: "admin_actions", args: pending(A{"p_admin_id": boss}),
			returns: "withdrawal_id bigint, status text, approvals integer, is_replay boolean",
			bad:     map[string][]bad{"p_withdrawal_id": id}},
		{name: "withdrawal.reject", allowed: "admin", switche: "admin_actions",
			args:    pending(A{"p_admin_id": boss, "p_reason": "why"}),
			returns: "withdrawal_id bigint, status text, is_replay boolean",
			bad:     map[string][]bad{"p_withdrawal_id": id, "p_reason": usual["p_note"]}},
		{name: "withdrawal.list_pending", reads: true, allowed: "admin", switche: "admin_actions",
			returns: "withdrawal_id bigint, telegram_id bigint, username text, amount_kopecks bigint, " +
				"requested_at timestamptz, approvals integer, approvals_needed integer, requisites text, debt_kopecks bigint",
			args: func(world) A { return A{"p_admin_id": boss, "p_limit": 10} }},
		{name: "withdrawal.queue", reads: true, allowed: "admin", switche: "admin_actions",
			returns: "withdrawal_id bigint, telegram_id bigint, username text, amount_kopecks bigint, " +
				"requested_at timestamptz, approvals integer, approvals_needed integer",
			args: func(world) A { return A{"p_admin_id": boss, "p_after_id": nil, "p_limit": 10} },
			bad: map[string][]bad{"p_limit": {refuse("22023", nil, 0, -1, 101), accept(100)},
				"p_after_id": {refuse("WD001", -1, 0, 1<<62), accept(nil)}}},
		{name: "withdrawal.show", reads: true, allowed: "admin", switche: "admin_actions",
			returns: shownWithdrawal, args: pending(A{"p_admin_id": boss}), bad: map[string][]bad{"p_withdrawal_id": id}},
		{name: "withdrawal.look", allowed: "admin", switche: "admin_actions",
			returns: shownWithdrawal + ", requisites text", args: pending(A{"p_admin_id": boss}),
			bad: map[string][]bad{"p_withdrawal_id": id}},
		{name: "withdrawal.latest", reads: true, allowed: "bot admin",
			returns: "withdrawal_id bigint, status text, amount_kopecks bigint, requested_at timestamptz, " +
				"ended_at timestamptz, reason text",
			args: func(world) A { return A{"p_telegram_id": anna, "p_limit": 10} }},
		{name: "withdrawal.options", reads: true, allowed: "bot admin", args: func(world) A { return A{} },
			returns: "minimum_kopecks bigint, per_day bigint, four_eyes_kopecks bigint"},
		due("withdrawal.purge_due", "purged integer"),
	}
}

// prepareWithdrawals gives the world a pending withdrawal of Bert's and a draft of Anna's.
func (w world) prepareWithdrawals() {
	w.Helper()
	w.Credit(bert, least)
	w.One("withdrawal.request", wish(bert, least, "world"))
	w.One("withdrawal.draft", wish(anna, least, "world"))
}

// wish is the arguments of withdrawal.request and draft.
func wish(id, kopecks int, key string) A {
	return A{"p_telegram_id": id, "p_amount_kopecks": kopecks, "p_requisites": sealed, "p_idempotency_key": key}
}

func (b *bundle) request(id, kopecks int, key string) int {
	b.Helper()
	return b.One("withdrawal.request", wish(id, kopecks, key))["withdrawal_id"].(int)
}

func decided(admin, withdrawal int) A { return A{"p_admin_id": admin, "p_withdrawal_id": withdrawal} }

func rejected(admin, withdrawal int) A {
	return decided(admin, withdrawal).With("p_reason", "no such card")
}

func cancelled(id, withdrawal int) A { return A{"p_telegram_id": id, "p_withdrawal_id": withdrawal} }

// admins makes two more of them.
func (b *bundle) admins() {
	b.Helper()
	for _, id := range []int{second, third} {
		b.User(id)
		b.One("account.grant_admin", A{"p_telegram_id": id, "p_note": "one more"})
	}
}

func (b *bundle) wallet(id int) Row {
	b.Helper()
	return pick(b.One("wallet.balance", A{"p_telegram_id": id}), "available_kopecks", "held_kopecks")
}

func money(available, held int) Row { return Row{"available_kopecks": available, "held_kopecks": held} }

// withdrawalRow is what the table says of a withdrawal.
func (b *bundle) withdrawalRow(id int) Row {
	b.Helper()
	return b.owner.Query(`select status::text, ended_at, ended_by, reason, requisites, requisites_purge_at
		from withdrawal.withdrawal where withdrawal_id = $1`, id)[0]
}

func TestRequest(t *testing.T) {
	b := setup(t)
	b.admins()
	first := b.One("withdrawal.request", wish(anna, 60000, "k"))
	id := first["withdrawal_id"].(int)
	require.Equal(t, Row{"withdrawal_id": id, "status": "pending", "available_kopecks": 40000, "held_kopecks": 60000,
		"is_replay": false}, first)
	require.Equal(t, money(40000, 60000), b.wallet(anna))
	line := b.All("wallet.statement", A{"p_telegram_id": anna, "p_limit": 1, "p_before_version": nil})[0]
	require.Equal(t, Row{"reason": "withdrawal_hold", "amount_kopecks": -60000, "moved_kopecks": 60000,
		"available_kopecks": 40000, "held_kopecks": 60000}, pick(line, "reason", "amount_kopecks", "moved_kopecks",
		"available_kopecks", "held_kopecks"))
	require.Equal(t, "withdrawal:"+strconv.Itoa(id), line["reference"])
	for _, admin := range []int{boss, second, third} {
		require.Equal(t, []string{"withdrawal_requested"}, b.messages(admin))
	}
	require.Equal(t, Row{"amount_kopecks": 60000, "arguments": map[string]any{"withdrawal_id": float64(id), "telegram_id": float64(anna)}},
		b.owner.Query("select amount_kopecks, arguments from outbox.task where telegram_id = $1 and kind = 'message'", boss)[0])

	b.One("wallet.debit", by(boss, anna, 100, "fee", "k"))
	first["is_replay"] = true
	require.Equal(t, first, b.One("withdrawal.request", wish(anna, 60000, "k").With("p_requisites", "v1:b3RoZXI=")),
		"the first answer; requisites are not compared")
	require.Contains(t, b.Refused("ID001", "withdrawal.request", wish(anna, 60001, "k")).Detail, "withdrawal_id")
	require.Equal(t, money(39900, 60000), b.wallet(anna))
	require.Equal(t, sealed, b.withdrawalRow(id)["requisites"])

	require.Equal(t, []Row{{"withdrawal_id": id, "telegram_id": anna, "username": "user_1001", "amount_kopecks": 60000,
		"approvals": 0, "approvals_needed": 1, "requisites": sealed, "debt_kopecks": 0}}, b.waiting(boss))
	require.Equal(t, Row{"minimum_kopecks": least, "per_day": 3, "four_eyes_kopecks": fourEye},
		b.One("withdrawal.options", A{}))
}

// waiting is withdrawal.list_pending without the times.
func (b *bundle) waiting(admin int) []Row {
	b.Helper()
	rows := b.All("withdrawal.list_pending", A{"p_admin_id": admin, "p_limit": 10})
	for _, row := range rows {
		require.NotNil(b, row["requested_at"])
		delete(row, "requested_at")
	}
	return rows
}

func TestRequestRefused(t *testing.T) {
	b := setup(t)
	b.Credit(bert, least)
	for _, function := range []string{"withdrawal.request", "withdrawal.draft"} {
		b.Refused("WD003", function, wish(anna, least-1, "k"))
		require.Contains(t, b.Refused("WA001", function, wish(anna, desk.Rich+1, "k")).Detail, "100000 are available")
		b.owner.Query("update account.account set is_blocked = true where telegram_id = $1", anna)
		b.Refused("US002", function, wish(anna, least, "k"))
		b.owner.Query("update account.account set is_blocked = false where telegram_id = $1", anna)
		b.Refused("US001", function, wish(nobody, least, "k"))
		require.Equal(t, false, b.One(function, wish(bert, least, "k"))["is_replay"], "a refusal stores no key")
		b.Refused("ID001", function, wish(bert, least+1, "k"))
		if function == "withdrawal.request" {
			b.Refused("WD004", function, wish(bert, least, "other"))
			b.One("withdrawal.cancel", cancelled(bert, b.owner.Value("select withdrawal_id from withdrawal.withdrawal").(int)))
		}
	}
	b.request(bert, least, "again")
	b.Refused("WD004", "withdrawal.draft", wish(bert, least, "other"))
}

func TestNothingIsWithdrawnWhileThereIsADebt(t *testing.T) {
	b := setup(t)
	b.invited(anna, 2000, desk.Rich)
	bought := b.Buy(2000, "basic", 1, "k")["purchase_id"].(string)
	b.payDue()
	b.One("wallet.debit", by(boss, anna, desk.Rich+1490, "all", "k"))
	b.clawBack(bought)
	b.payDue()
	b.Credit(anna, 70000)
	require.Contains(t, b.Refused("WA001", "withdrawal.request", wish(anna, least, "k")).Detail, "a debt of 1490 kopecks")
	b.Refused("WA001", "withdrawal.draft", wish(anna, least, "k"))
}

// TestDebtSinceTheRequest: what is held is out of a claw-back's reach; the admin who decides sees the debt.
func TestDebtSinceTheRequest(t *testing.T) {
	b := setup(t)
	b.invited(anna, 2000, desk.Rich)
	bought := b.Buy(2000, "basic", 1, "k")["purchase_id"].(string)
	b.payDue()
	b.One("wallet.debit", by(boss, anna, desk.Rich+1490-least, "all but", "k"))
	id := b.request(anna, least, "k")
	b.clawBack(bought)
	b.payDue()
	require.Equal(t, 1490, b.waiting(boss)[0]["debt_kopecks"])
	b.One("withdrawal.reject", A{"p_admin_id": boss, "p_withdrawal_id": id, "p_reason": "a debt comes first"})
	b.Refused("WA001", "withdrawal.request", wish(anna, least, "again"))
}

func TestD9ThreeADay(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 23, 59, 0, 0, time.UTC)
	for i, key := range []string{"1", "2", "3"} {
		b.owner.At(at.Add(time.Duration(i) * time.Minute)) // midnight in between is nothing
		b.One("withdrawal.cancel", cancelled(anna, b.request(anna, least, key)))
	}
	require.Contains(t, b.Refused("WD004", "withdrawal.request", wish(anna, least, "4")).Detail, "3 requests in 24 hours")
	b.owner.At(at.Add(24*time.Hour - time.Microsecond))
	b.Refused("WD004", "withdrawal.request", wish(anna, least, "4"))
	b.Refused("WD004", "withdrawal.draft", wish(anna, least, "4"))
	b.owner.At(at.Add(24 * time.Hour))
	b.request(anna, least, "4")
}

func TestDraftAndSubmit(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	draft := b.One("withdrawal.draft", wish(anna, 60000, "k"))
	require.Equal(t, Row{"draft_id": draft["draft_id"], "expires_at": at.Add(15 * time.Minute), "is_replay": false}, draft)
	require.Equal(t, money(desk.Rich, 0), b.wallet(anna), "no money moves")
	require.Empty(t, b.messages(boss))
	draft["is_replay"] = true
	require.Equal(t, draft, b.One("withdrawal.draft", wish(anna, 60000, "k").With("p_requisites", "v1:b3RoZXI=")))
	b.Refused("ID001", "withdrawal.draft", wish(anna, 60001, "k"))

	mine := A{"p_telegram_id": anna, "p_draft_id": draft["draft_id"]}
	shown := Row{"draft_id": draft["draft_id"], "status": "open", "amount_kopecks": 60000, "requisites": sealed,
		"expires_at": at.Add(15 * time.Minute), "withdrawal_id": nil}
	require.Equal(t, shown, b.One("withdrawal.show_draft", mine))
	b.Refused("WD001", "withdrawal.show_draft", mine.With("p_telegram_id", bert))
	b.Refused("WD001", "withdrawal.submit", mine.With("p_telegram_id", bert))
	b.owner.At(at.Add(15*time.Minute - time.Microsecond))
	first := b.One("withdrawal.submit", mine)
	id := first["withdrawal_id"].(int)
	require.Equal(t, Row{"withdrawal_id": id, "status": "pending", "available_kopecks": 40000, "held_kopecks": 60000,
		"is_replay": false}, first)
	require.Equal(t, sealed, b.withdrawalRow(id)["requisites"])
	require.Equal(t, 0, b.count("withdrawal.draft where requisites is not null"), "they are in one place only")
	b.owner.At(at.Add(time.Hour))
	shown["status"], shown["requisites"], shown["withdrawal_id"] = "submitted", nil, id
	require.Equal(t, shown, b.One("withdrawal.show_draft", mine), "submitted, and not expired")
	b.One("withdrawal.cancel", cancelled(anna, id))
	first["is_replay"] = true
	require.Equal(t, first, b.One("withdrawal.submit", mine), "the first answer, whatever happened since")
	require.Equal(t, draft, b.One("withdrawal.draft", wish(anna, 60000, "k")))
	require.Equal(t, money(desk.Rich, 0), b.wallet(anna))

	late := b.One("withdrawal.draft", wish(anna, 60000, "late"))
	b.owner.At(at.Add(75 * time.Minute))
	require.Equal(t, "expired", b.One("withdrawal.show_draft", mine.With("p_draft_id", late["draft_id"]))["status"])
	require.Contains(t, b.Refused("WD001", "withdrawal.submit", mine.With("p_draft_id", late["draft_id"])).Detail, "expired at")
}

func TestSubmitChecksAgain(t *testing.T) {
	b := setup(t)
	b.Credit(bert, 70000)
	draft := func(key string) A {
		return A{"p_telegram_id": bert, "p_draft_id": b.One("withdrawal.draft", wish(bert, 60000, key))["draft_id"]}
	}
	one, two := draft("1"), draft("2")
	possible := A{"p_telegram_id": bert, "p_amount_kopecks": 60000}
	require.Equal(t, Row{"amount_kopecks": 60000, "left_kopecks": 10000}, b.One("withdrawal.validate", possible))
	b.owner.Query("update account.account set is_blocked = true where telegram_id = $1", bert)
	b.Refused("US002", "withdrawal.submit", one)
	b.Refused("US002", "withdrawal.validate", possible)
	b.owner.Query("update account.account set is_blocked = false where telegram_id = $1", bert)
	b.One("ops.set_setting", A{"p_name": "withdrawal_minimum_kopecks", "p_value": 60001})
	b.Refused("WD003", "withdrawal.submit", one)
	b.Refused("WD003", "withdrawal.validate", possible)
	b.One("ops.set_setting", A{"p_name": "withdrawal_minimum_kopecks", "p_value": least})
	b.One("wallet.debit", by(boss, bert, 10001, "fee", "k"))
	b.Refused("WA001", "withdrawal.submit", one)
	b.Refused("WA001", "withdrawal.validate", possible)
	b.Credit(bert, 1)
	b.One("withdrawal.submit", one)
	b.Refused("WD004", "withdrawal.submit", two)
	b.Refused("WD004", "withdrawal.validate", possible)
	require.Equal(t, money(0, 60000), b.wallet(bert))
}

func TestKeysOfRequestAndSubmitAreApart(t *testing.T) {
	b := setup(t)
	draft := b.One("withdrawal.draft", wish(anna, least, "k"))["draft_id"].(string)
	for _, key := range []string{"k", draft} {
		b.One("withdrawal.cancel", cancelled(anna, b.request(anna, 60000, key)))
	}
	submitted := b.One("withdrawal.submit", A{"p_telegram_id": anna, "p_draft_id": draft})
	require.Equal(t, Row{"held_kopecks": least, "is_replay": false}, pick(submitted, "held_kopecks", "is_replay"))
}
