package race_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

const (
	least   = 50000   // the smallest withdrawal
	fourEye = 5000000 // from here on two admins
)

func wish(id, kopecks int, key string) A {
	return A{"p_telegram_id": id, "p_amount_kopecks": kopecks, "p_requisites": "v1:c2VhbGVk", "p_idempotency_key": key}
}

func decided(admin, withdrawal int) A { return A{"p_admin_id": admin, "p_withdrawal_id": withdrawal} }

func (b *bundle) request(id, kopecks int, key string) int {
	b.Helper()
	return b.One("withdrawal.request", wish(id, kopecks, key))["withdrawal_id"].(int)
}

// admins makes some, beside the boss.
func (b *bundle) admins(ids ...int) {
	b.Helper()
	for _, id := range ids {
		b.User(id)
		b.One("account.grant_admin", A{"p_telegram_id": id, "p_note": "one more"})
	}
}

func (b *bundle) wallet(id int) []any {
	b.Helper()
	row := b.One("wallet.balance", A{"p_telegram_id": id})
	return []any{row["available_kopecks"], row["held_kopecks"]}
}

// detail is where a refusal has its values.
func detail(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Detail
	}
	return ""
}

func TestD1ApproveRejectCancel(t *testing.T) { oneEnd(setup(t)) }

func oneEnd(b *bundle) {
	b.admins(5)
	users := b.customers(50, least)
	calls := []call{}
	for i, user := range users {
		id := b.request(user, least, "k")
		calls = append(calls, call{b.bots[i%2], "withdrawal.approve", decided(boss, id)},
			call{b.bots[i%2], "withdrawal.reject", A{"p_admin_id": 5, "p_withdrawal_id": id, "p_reason": "no"}},
			call{b.bots[i%2], "withdrawal.cancel", A{"p_telegram_id": user, "p_withdrawal_id": id}})
	}
	answers := b.rush(calls...)
	ends := map[any]int{}
	for i, user := range users {
		of := answers[3*i : 3*i+3]
		require.Equal(b, map[string]int{"": 1, "WD002": 2}, codes(of))
		for _, a := range of {
			if a.err == nil {
				ends[a.rows[0]["status"]]++
				want := []any{least, 0}
				if a.rows[0]["status"] == "approved" {
					want = []any{0, 0}
				}
				require.Equal(b, want, b.wallet(user))
			}
		}
	}
	b.Logf("ends: %v", ends)
	require.Greater(b, len(ends), 1, "always the same end: this proves nothing")
}

func TestD2TwoAdminsApprove(t *testing.T) { twoAdmins(setup(t)) }

func twoAdmins(b *bundle) {
	b.admins(5)
	id := b.request(anna, least, "k")
	answers := b.rush(append(times(10, b.bots, "withdrawal.approve", decided(boss, id)),
		times(10, b.bots, "withdrawal.approve", decided(5, id))...)...)
	winner, loser := answers[:10], answers[10:]
	if winner[0].err != nil {
		winner, loser = loser, winner
	}
	b.firstAndReplays(winner)
	require.Equal(b, map[string]int{"WD002": 10}, codes(loser))
	require.Equal(b, 1, b.count("ledger.transfer where reason = 'withdrawal_payout'"), "one payout")
}

func TestD10FourEyesAtOnce(t *testing.T) { fourEyes(setup(t)) }

func fourEyes(b *bundle) {
	b.admins(5, 6)
	b.Credit(anna, fourEye)
	id := b.request(anna, fourEye, "k")
	b.firstAndReplays(b.rush(times(20, b.bots, "withdrawal.approve", decided(boss, id))...))
	require.Equal(b, 1, b.count("withdrawal.withdrawal where status = 'pending'"), "twenty times one admin is one")

	answers := b.rush(append(times(10, b.bots, "withdrawal.approve", decided(5, id)),
		times(10, b.bots, "withdrawal.approve", decided(6, id))...)...)
	winner, loser := answers[:10], answers[10:]
	if winner[0].err != nil {
		winner, loser = loser, winner
	}
	first := b.firstAndReplays(winner)
	require.Equal(b, []any{"approved", 2}, []any{first["status"], first["approvals"]})
	require.Equal(b, map[string]int{"WD002": 10}, codes(loser))
	require.Equal(b, 1, b.count("ledger.transfer where reason = 'withdrawal_payout'"))

	b.Credit(boss, least)
	own := b.request(boss, least, "own")
	require.Equal(b, map[string]int{"WD005": 5}, codes(b.rush(times(5, b.bots, "withdrawal.approve", decided(boss, own))...)))
}

func TestD3WithdrawalAgainstPurchase(t *testing.T) { withdrawOrBuy(setup(t)) }

func withdrawOrBuy(b *bundle) {
	const plus3 = 69900
	users := b.customers(20, plus3+100)
	calls := []call{}
	for i, user := range users {
		calls = append(calls,
			call{b.bots[i%2], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "plus", 3, "k"))},
			call{b.bots[1-i%2], "withdrawal.request", wish(user, least, "k")})
	}
	answers := b.rush(calls...)
	bought := 0
	for i, user := range users {
		require.Equal(b, map[string]int{"": 1, "WA001": 1}, codes(answers[2*i:2*i+2]))
		want := []any{plus3 + 100 - least, least}
		if answers[2*i].err == nil {
			bought++
			want = []any{100, 0}
		}
		require.Equal(b, want, b.wallet(user))
	}
	b.Logf("%d of %d bought", bought, len(users))
}

func TestD4WithdrawalsOfTheWholeBalance(t *testing.T) { wholeBalance(setup(t)) }

func wholeBalance(b *bundle) {
	calls := []call{}
	for i := range 10 {
		draft := b.One("withdrawal.draft", wish(anna, desk.Rich, fmt.Sprint("d", i)))["draft_id"]
		calls = append(calls, call{b.bots[i%2], "withdrawal.request", wish(anna, desk.Rich, fmt.Sprint("r", i))},
			call{b.bots[i%2], "withdrawal.submit", A{"p_telegram_id": anna, "p_draft_id": draft}})
	}
	require.Equal(b, map[string]int{"": 1, "WD004": 19}, codes(b.rush(calls...)))
	require.Equal(b, []any{0, desk.Rich}, b.wallet(anna))
	require.Equal(b, 1, b.count("withdrawal.withdrawal"))
}

func TestD4OneDraftSubmittedOften(t *testing.T) { submitOften(setup(t)) }

func submitOften(b *bundle) {
	drafted := b.firstAndReplays(b.rush(times(20, b.bots, "withdrawal.draft", wish(anna, least, "k"))...))
	b.firstAndReplays(b.rush(times(20, b.bots, "withdrawal.submit",
		A{"p_telegram_id": anna, "p_draft_id": drafted["draft_id"]})...))
	b.Credit(bert, least)
	b.firstAndReplays(b.rush(times(20, b.bots, "withdrawal.request", wish(bert, least, "k"))...))
	require.Equal(b, 2, b.count("withdrawal.withdrawal"))
}

func TestD9Caps(t *testing.T) { caps(setup(t)) }

// caps lets twenty clients request and cancel in turn until the day's requests are used up.
func caps(b *bundle) {
	deadline := time.Now().Add(patience)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			d := b.On(b, b.bots[i%2])
			for try := 0; time.Now().Before(deadline); try++ {
				rows, err := d.Try("withdrawal.request", wish(anna, least, fmt.Sprint(i, " ", try)))
				if err == nil {
					_, err = d.Try("withdrawal.cancel", A{"p_telegram_id": anna, "p_withdrawal_id": rows[0]["withdrawal_id"]})
				}
				if code := desk.Code(err); code == "WD004" && strings.Contains(detail(err), "in 24 hours") {
					return
				} else if code != "" && code != "WD004" {
					b.Errorf("%v", err)
					return
				}
			}
		})
	}
	all.Wait()
	require.Equal(b, 3, b.count("withdrawal.withdrawal"), "three a day")
	require.Equal(b, map[string]int{"WD003": 20},
		codes(b.rush(times(20, b.bots, "withdrawal.request", wish(anna, least-1, "small"))...)))
	require.Equal(b, []any{desk.Rich, 0}, b.wallet(anna))
}

func TestD8FormerAdminApproves(t *testing.T) { formerAdmin(setup(t)) }

func formerAdmin(b *bundle) {
	b.admins(5)
	id := b.request(anna, least, "k")
	for _, c := range []call{
		{b.bots[0], "withdrawal.approve", decided(5, id)},
		{b.bots[0], "withdrawal.reject", A{"p_admin_id": 5, "p_withdrawal_id": id, "p_reason": "no"}},
	} {
		b.One("account.grant_admin", A{"p_telegram_id": 5, "p_note": "again"})
		a := b.locked(b.harness.DBA,
			func(d *desk.Desk) { d.One("account.revoke_admin", A{"p_telegram_id": 5, "p_note": "left"}) }, c, func() {})
		require.Equal(b, "US003", a.code())
	}
	require.Equal(b, 1, b.count("withdrawal.withdrawal where status = 'pending'"))
}

func TestPurgeAgainstTheEnd(t *testing.T) { purgeAgainstEnd(setup(t)) }

// purgeAgainstEnd lets the purge run while withdrawals end: none that is pending loses its requisites.
func purgeAgainstEnd(b *bundle) {
	b.owner.Query("update ops.setting set value = 0 where name = 'requisites_days'")
	users := b.customers(30, least)
	calls := []call{}
	for i, user := range users {
		id := b.request(user, least, "k")
		if i%3 != 0 {
			calls = append(calls, call{b.bots[i%2], "withdrawal.approve", decided(boss, id)})
		}
	}
	purges := times(10, b.workers, "withdrawal.purge_due", A{"p_epoch": nil, "p_limit": 5})
	for _, a := range b.rush(append(calls, purges...)...) {
		require.NoError(b, a.err)
	}
	require.Equal(b, 10, b.count("withdrawal.withdrawal where status = 'pending' and requisites is not null"))
	for b.rushPurged(purges[:2]) > 0 {
	}
	require.Equal(b, 10, b.count("withdrawal.withdrawal where requisites is not null"))
}

func (b *bundle) rushPurged(calls []call) int {
	b.Helper()
	purged := 0
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
		purged += a.rows[0]["purged"].(int)
	}
	return purged
}
