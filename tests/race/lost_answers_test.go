package race_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestA9UpgradeRenewalAndRefund(t *testing.T) { upgradeRenewalRefund(setup(t)) }

// upgradeRenewalRefund lets a user move up, a worker renew and an admin refund the first purchase of one subscription at
// once while answers are lost. In the end all is refunded, and nothing is left of it.
func upgradeRenewalRefund(b *bundle) {
	users := b.subscribers(12, 4)
	money := 4*desk.Basic1 + desk.Basic1 // with the first purchase
	bots, lost := b.lossyPools(harness.BotLogin, 0.5)
	workers, _ := b.lossyPools(harness.WorkerLogin, 0.5)
	calls := []call{}
	for i, user := range users {
		first := b.owner.Value("select purchase_id from billing.purchase where telegram_id = $1", user)
		calls = append(calls,
			call{bots[i%2], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "plus", 1, "up"))},
			call{bots[1-i%2], "billing.refund_purchase", refund(boss, first)},
			call{workers[i%2], "subscription.renew_due", renewDue})
	}
	for _, a := range b.insist(calls...) {
		require.NoError(b, a.err)
	}
	require.Positive(b, lost(), "nothing was lost: this proves nothing")
	paid := "(select coalesce(sum(price_kopecks), 0) from billing.purchase where telegram_id = $1 and status = 'paid')"
	renewals := 0
	for _, user := range users {
		require.Equal(b, money, b.Available(user)+b.owner.Value("select "+paid+"::int", user).(int))
		require.Equal(b, 1, b.count("billing.refund where telegram_id = $1", user))
		renewed := b.charged(user)["renewals"].(int)
		require.LessOrEqual(b, renewed, 1)
		renewals += renewed
	}
	b.Logf("%d of %d were renewed, %d answers were lost", renewals, len(users), lost())
	b.Reconciled()
	calls = nil
	for _, row := range b.owner.Query("select purchase_id from billing.purchase where status = 'paid'") {
		calls = append(calls, call{bots[0], "billing.refund_purchase", refund(boss, row["purchase_id"])})
	}
	for _, a := range b.insist(calls...) {
		require.NoError(b, a.err)
	}
	for _, user := range users {
		require.Equal(b, money, b.Available(user))
		require.NotEqual(b, "active", b.One("subscription.current", A{"p_telegram_id": user})["status"])
	}
}

func TestC1RewardOnceWithLostAnswers(t *testing.T) { rewardOnceLost(setup(t)) }

// rewardOnceLost lets ten workers pay the cashback of the same purchases and lose their answers.
func rewardOnceLost(b *bundle) {
	const buyers = 40
	for _, id := range b.guests(buyers, desk.Basic1, anna, bert) {
		b.Buy(id, "basic", 1, "k")
	}
	before := b.Available(anna) + b.Available(bert)
	workers, lost := b.lossyPools(harness.WorkerLogin, 0.7)
	for b.count("outbox.task where kind = 'cashback' and finished_at is null") > 0 {
		b.insist(times(10, workers, "referral.pay_due", payDue)...)
	}
	require.Positive(b, lost(), "nothing was lost: this proves nothing")
	require.Equal(b, buyers, b.count("referral.reward where status = 'paid'"))
	require.Equal(b, buyers, b.count("ledger.transfer where reason = 'cashback'"))
	require.Equal(b, before+buyers*1490, b.Available(anna)+b.Available(bert))
}

func TestD2TwoAdminsApproveWithLostAnswers(t *testing.T) { twoAdminsLost(setup(t)) }

func twoAdminsLost(b *bundle) {
	b.admins(5)
	bots, lost := b.lossyPools(harness.BotLogin, 0.3)
	users := b.customers(10, least)
	calls := []call{}
	for _, user := range users {
		id := b.request(user, least, "k")
		for _, admin := range []int{boss, 5} {
			calls = append(calls, times(3, bots, "withdrawal.approve", decided(admin, id))...)
		}
	}
	answers := b.insist(calls...)
	require.Positive(b, lost(), "nothing was lost: this proves nothing")
	for i, user := range users {
		winner, loser := answers[6*i:6*i+3], answers[6*i+3:6*i+6]
		if winner[0].err != nil {
			winner, loser = loser, winner
		}
		b.sameAnswer(winner)
		require.Equal(b, map[string]int{"WD002": 3}, codes(loser))
		require.Equal(b, []any{0, 0}, b.wallet(user))
	}
	require.Equal(b, len(users), b.count("ledger.transfer where reason = 'withdrawal_payout'"), "one payout each")
}

// TestD5ApprovalWhoseAnswerIsLost: people pay withdrawals out by hand, so the call whose outcome can be unknown is the
// approval. Asked again it is a replay, and there is one row that says what has to be paid.
func TestD5ApprovalWhoseAnswerIsLost(t *testing.T) { approvalLost(setup(t)) }

func approvalLost(b *bundle) {
	b.admins(5)
	id := b.request(anna, least, "k")
	one, _ := b.harness.LossyPool(b, harness.BotLogin, harness.Loss{Answer: 1})
	_, err := b.On(b, one).Try("withdrawal.approve", decided(boss, id))
	require.ErrorIs(b, err, syscall.ECONNRESET)
	b.until("the server has done it",
		"select status = 'approved' from withdrawal.withdrawal where withdrawal_id = $1", id)

	again := b.On(b, b.bots[1]).One("withdrawal.approve", decided(boss, id))
	require.Equal(b, []any{"approved", 1, true}, []any{again["status"], again["approvals"], again["is_replay"]})
	b.On(b, b.bots[1]).Refused("WD002", "withdrawal.approve", decided(5, id))
	require.Equal(b, 1, b.count("ledger.transfer where reason = 'withdrawal_payout' and telegram_id = $1", anna))
	require.Equal(b, []any{desk.Rich - least, 0}, b.wallet(anna))
}
