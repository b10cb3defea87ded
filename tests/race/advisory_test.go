package race_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRowLocksAreTheAuthority stubs the advisory lock out: everything must hold without it.
func TestRowLocksAreTheAuthority(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(b *bundle){
		"A1SecondTap": secondTap,
		"A1DoubleTap": doubleTap, "A1DoubleOpen": doubleOpen, "A2MoneyForOne": moneyForOne, "A5PriceChange": priceChange,
		"A4CancelOrPay": cancelOrPay, "A6Expiry": expiryWhileWaiting, "T1Register": registerAtOnce,
		"E1Duplicates": duplicateWebhook, "E1Suspense": duplicateSuspense, "E1TwoCharges": twoCharges,
		"E3PaidWhileExpiring": paidWhileExpiring, "E3AfterSweeper": paymentAfterSweeper,
		"E3Busy": sweeperPasses, "E14Poller": pollerAndWebhook, "E16ChargeOfTwo": chargeOfTwo, "B8Crossed": crossed,
		"B3PerUserLimit": perUserLimit, "B5Expires": expiresAsMoneyComes, "B6ReleasedOnce": releasedOnce, "B7Terms": termsChange,
		"I12Jobs": claimJobs, "C1RewardOnce": rewardOnce, "C4Rings": rings, "D1OneEnd": oneEnd, "D2TwoAdmins": twoAdmins,
		"D3WithdrawOrBuy": withdrawOrBuy, "D4WholeBalance": wholeBalance, "D4SubmitOften": submitOften, "D9Caps": caps,
		"D10FourEyes": fourEyes,
		"F1Fleet":     fleetRenewal, "A3Renewal": purchaseAndRenewal, "A3ForOne": renewalMoneyForOne,
		"F2Busy": renewalPasses, "F8Deposit": renewalAndDeposit, "A10Trial": trialRace,
		"A10TrialWaits": trialAfterPurchase, "F1Expiry": expiryAndPurchase,
		"H4Reissue": oneReissue, "Reminders": remindersOnce,
		"RefundOnce": refundOnce, "A9Refund": refundAgainstPurchases,
		"E1Reversal": duplicateReversal, "E2SettleReverse": settleAgainstReverse, "E16Suspense": suspenseOfTwo,
		"A9Upgrade": upgradeRenewalRefund, "D6MoneyLeft": moneyLeft, "E15Chargeback": chargebackAndRenewal, "C6Spent": rewardSpent,
		"E16Reversal": suspenseAgainstReversal, "E16Manual": approveByTwo,
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			source := b.owner.Value("select pg_get_functiondef('account._lock'::regproc)").(string)
			stubbed := regexp.MustCompile(`perform pg_advisory_xact_lock\([^;]*;`).ReplaceAllString(source, "")
			require.NotEqual(t, source, stubbed, "account._lock has no advisory lock any more")
			b.owner.Query(stubbed)
			scenario(b)
		})
	}
}
