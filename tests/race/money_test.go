package race_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func refund(admin int, purchase any) A {
	return A{"p_admin_id": admin, "p_purchase_id": purchase, "p_reason": "asked for it"}
}

func reversal(charge string, kopecks int) A {
	return A{"p_provider": "cryptobot", "p_charge_id": charge, "p_amount_minor": kopecks, "p_currency": "RUB", "p_raw": nil}
}

func resolve(admin int, payment any, user int) A {
	return A{"p_admin_id": admin, "p_payment_id": payment, "p_telegram_id": user, "p_amount_kopecks": nil, "p_note": "theirs"}
}

func TestRefundOnce(t *testing.T) { refundOnce(setup(t)) }

// refundOnce lets one admin press 25 times and another 25 times.
func refundOnce(b *bundle) {
	b.admins(bert)
	id := b.Buy(anna, "basic", 1, "k")["purchase_id"]
	calls := append(times(25, b.bots, "billing.refund_purchase", refund(boss, id)),
		times(25, b.bots, "billing.refund_purchase", refund(bert, id))...)
	winners := map[bool]int{}
	for _, half := range [][]answer{b.rush(calls...)} {
		for i := 0; i < len(half); i += 25 {
			if half[i].err == nil {
				b.firstAndReplays(half[i : i+25])
				winners[true]++
				continue
			}
			for _, a := range half[i : i+25] {
				require.Equal(b, "PU003", a.code())
			}
			winners[false]++
		}
	}
	require.Equal(b, map[bool]int{true: 1, false: 1}, winners)
	require.Equal(b, desk.Rich, b.Available(anna))
	require.Equal(b, 1, b.count("billing.refund"))
}

func TestA9RefundAgainstPurchases(t *testing.T) { refundAgainstPurchases(setup(t)) }

// refundAgainstPurchases lets refunds of one purchase meet payments of others: however they fall, nothing that was paid
// is lost and nothing that was refunded is left.
func refundAgainstPurchases(b *bundle) {
	users := b.customers(20, 4*desk.Basic1)
	calls, rest := []call{}, []call{}
	for _, user := range users {
		first := b.Buy(user, "basic", 1, "1")["purchase_id"]
		calls = append(calls, call{b.bots[0], "billing.refund_purchase", refund(boss, first)})
		for i, key := range []string{"2", "3"} {
			id := b.Open(user, "basic", 1, key)
			calls = append(calls, call{b.bots[i], "billing.pay_from_balance", desk.Mine(user, id)})
			rest = append(rest, call{b.bots[i], "billing.refund_purchase", refund(boss, id)})
		}
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	for _, user := range users {
		require.Equal(b, 2*desk.Basic1, b.Available(user))
		require.Equal(b, "active", b.One("subscription.current", A{"p_telegram_id": user})["status"])
	}
	b.Reconciled()
	for _, a := range b.rush(rest...) {
		require.NoError(b, a.err)
	}
	for _, user := range users {
		require.Equal(b, 4*desk.Basic1, b.Available(user))
		require.NotEqual(b, "active", b.One("subscription.current", A{"p_telegram_id": user})["status"])
	}
}

func TestE1DuplicateReversal(t *testing.T) { duplicateReversal(setup(t)) }

func duplicateReversal(b *bundle) {
	id := b.Topup(bert, 25000, "k")
	b.Settle("c", id, 25000)
	first := b.firstAndReplays(b.rush(times(50, b.bots, "billing.reverse_payment", reversal("c", 25000))...))
	require.Equal(b, Row{"payment_id": first["payment_id"], "outcome": "reversed", "debt_kopecks": 0, "is_replay": false}, first)
	require.Equal(b, 0, b.Available(bert))
	b.firstAndReplays(b.rush(times(50, b.bots, "billing.reverse_payment", reversal("unknown", 25000))...))
	require.Equal(b, 2, b.count("billing.payment"))
}

func TestE2SettleAgainstReverse(t *testing.T) { settleAgainstReverse(setup(t)) }

func settleAgainstReverse(b *bundle) {
	users := b.customers(20, 0)
	calls := []call{}
	for _, user := range users {
		id := b.Open(user, "basic", 1, "k")
		for i := range 4 {
			calls = append(calls, call{b.bots[i%2], "billing.settle_payment", settle(id, id, nil, desk.Basic1+100)},
				call{b.bots[i%2], "billing.reverse_payment", reversal(id, desk.Basic1+100)})
		}
		calls = append(calls, call{b.workers[0], "billing.expire_due", A{"p_epoch": nil, "p_limit": 5}})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	require.Equal(b, len(users), b.count("billing.payment where outcome = 'reversed'"))
	require.Equal(b, len(users), b.count("billing.charge"))
	require.Equal(b, 0, b.count("subscription.subscription"))
	require.Equal(b, 0, b.count("wallet.wallet where telegram_id >= 3000 and (available_kopecks > 0 or debt_kopecks > 0)"))
}

func TestE16SuspenseOfTwoAdmins(t *testing.T) { suspenseOfTwo(setup(t)) }

// suspenseOfTwo lets two admins give the same money to two users.
func suspenseOfTwo(b *bundle) {
	b.admins(bert)
	before := b.Available(anna) + b.Available(bert)
	calls := []call{}
	const n = 20
	for i := range n {
		payment := b.Settle(fmt.Sprint("c", i), nil, 500)["payment_id"]
		for j, admin := range []int{boss, bert} {
			calls = append(calls, call{b.bots[j], "billing.resolve_suspense", resolve(admin, payment, []int{anna, bert}[j])})
		}
	}
	answers := b.rush(calls...)
	for i := range n {
		codes := map[string]int{answers[2*i].code(): 1}
		codes[answers[2*i+1].code()]++
		require.Equal(b, map[string]int{"": 1, "PY002": 1}, codes)
	}
	require.Equal(b, before+n*500, b.Available(anna)+b.Available(bert))
	require.Equal(b, n, b.count("billing.payment where outcome = 'credited'"))
}

func TestE16SuspenseAgainstReversal(t *testing.T) { suspenseAgainstReversal(setup(t)) }

// suspenseAgainstReversal lets a repeat of the payment, its reversal and its resolution meet on one charge.
func suspenseAgainstReversal(b *bundle) {
	const n = 30
	calls := []call{}
	for i := range n {
		charge := fmt.Sprint("c", i)
		payment := b.Settle(charge, nil, 500)["payment_id"]
		calls = append(calls, call{b.bots[0], "billing.resolve_suspense", resolve(boss, payment, bert)},
			call{b.bots[1], "billing.reverse_payment", reversal(charge, 500)},
			call{b.bots[1], "billing.settle_payment", settle(charge, nil, nil, 500)})
	}
	again := []call{}
	for _, a := range b.rushRetried(calls...) {
		switch a.code() {
		case "":
		case "40001": // the charge was given to a user between the two looks: callers try again
			again = append(again, a.call)
		default:
			require.Equal(b, "PY002", a.code())
		}
	}
	for _, a := range b.rush(again...) {
		require.NoError(b, a.err)
	}
	require.Equal(b, n, b.count("billing.payment where outcome = 'reversed'"))
	require.Equal(b, 0, b.Available(bert))
}

func TestE16ApproveManualByTwo(t *testing.T) { approveByTwo(setup(t)) }

func approveByTwo(b *bundle) {
	b.admins(bert)
	for i := range 10 {
		id := b.Open(anna, "basic", 1, fmt.Sprint(i))
		calls := []call{}
		for j, admin := range []int{boss, bert, boss, bert} {
			calls = append(calls, call{b.bots[j%2], "billing.approve_manual",
				A{"p_admin_id": admin, "p_purchase_id": id, "p_amount_kopecks": desk.Basic1, "p_note": "n"}})
		}
		codes := map[string]int{}
		for _, a := range b.rush(calls...) {
			codes[a.code()]++
		}
		require.Equal(b, map[string]int{"": 2, "PU003": 2}, codes)
	}
	require.Equal(b, 10, b.count("billing.payment"))
	require.Equal(b, desk.Rich, b.Available(anna))
}
