package race_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestC3MutualBind(t *testing.T) { mutualBind(setup(t)) }

// mutualBind lets two users open each other's links at once. Only newcomers are bound: of two who are there already neither
// is, and of a newcomer and the one who invited them the newcomer.
func mutualBind(b *bundle) {
	old := b.customers(20, 0)
	calls := []call{}
	for i := 0; i < len(old); i += 2 {
		calls = append(calls, call{b.bots[0], "account.register", started(old[i], b.link(old[i+1]))},
			call{b.bots[1], "account.register", started(old[i+1], b.link(old[i]))})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
		require.Equal(b, []any{nil, "already_registered"}, []any{a.rows[0]["referrer_id"], a.rows[0]["bind_refusal"]})
	}
	calls = nil
	for i, host := range old {
		guest := 6000 + i
		calls = append(calls, call{b.bots[0], "account.register", started(guest, b.link(host))})
	}
	b.rush(calls...)
	calls = nil
	for i, host := range old {
		guest := 6000 + i
		calls = append(calls, call{b.bots[0], "account.register", started(host, b.link(guest))},
			call{b.bots[1], "account.register", started(guest, b.link(host))})
	}
	b.rush(calls...)
	require.Equal(b, len(old), b.count("account.account a join account.account r on r.telegram_id = a.referrer_id"))
	require.Zero(b, b.count(`account.account a join account.account r on r.telegram_id = a.referrer_id
		where r.referrer_id = a.telegram_id`))
}

func TestC6RefundAfterTheRewardWasSpent(t *testing.T) { rewardSpent(setup(t)) }

// rewardSpent: referrers spend their cashback while the purchases that brought it are refunded and workers claw it back.
func rewardSpent(b *bundle) {
	const reward = desk.Basic1 / 10
	hosts := b.customers(10, desk.Basic1-reward)
	guests := b.guests(len(hosts), desk.Basic1, hosts...)
	bought := []any{}
	for _, guest := range guests {
		bought = append(bought, b.Buy(guest, "basic", 1, "k")["purchase_id"])
	}
	b.One("referral.pay_due", A{"p_epoch": nil, "p_limit": 100})
	calls := times(6, b.workers, "referral.pay_due", payDue)
	for i, host := range hosts {
		require.Equal(b, desk.Basic1, b.Available(host))
		calls = append(calls, call{b.bots[0], "billing.refund_purchase", refund(boss, bought[i])},
			call{b.bots[1], "billing.pay_from_balance", desk.Mine(host, b.Open(host, "basic", 1, "k"))})
	}
	for _, a := range b.rush(calls...) {
		require.Contains(b, []string{"", "WA001"}, a.code())
	}
	b.One("referral.pay_due", A{"p_epoch": nil, "p_limit": 100})
	debts := 0
	for i, host := range hosts {
		now := b.One("wallet.balance", A{"p_telegram_id": host})
		if b.charged(host)["charges"] == 0 { // clawed back before it was spent
			require.Equal(b, []any{desk.Basic1 - reward, 0}, []any{now["available_kopecks"], now["debt_kopecks"]})
		} else {
			debts++
			require.Equal(b, []any{0, reward}, []any{now["available_kopecks"], now["debt_kopecks"]}, "said openly")
		}
		require.Equal(b, desk.Basic1, b.Available(guests[i]))
	}
	b.Logf("%d of %d are in debt", debts, len(hosts))
	require.Equal(b, len(hosts), b.count("referral.reward where status = 'clawed_back'"))
	require.Equal(b, 0, b.count("ledger.transfer where available_kopecks < 0 or held_kopecks < 0"))
}

func TestC7ReferrerIsBlockedMeanwhile(t *testing.T) { referrerBlocked(setup(t)) }

// referrerBlocked: nobody is ever deleted, and who is blocked is paid all the same, once.
func referrerBlocked(b *bundle) {
	guests := b.guests(30, desk.Basic1, bert)
	calls := times(6, b.workers, "referral.pay_due", payDue)
	for i, guest := range guests {
		action := []string{"account.block", "account.unblock"}[i%2]
		calls = append(calls, call{b.bots[i%2], "billing.pay_from_balance", desk.Mine(guest, b.Open(guest, "basic", 1, "k"))},
			call{b.harness.Admin, action, A{"p_admin_id": boss, "p_telegram_id": bert, "p_reason": "r"}})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": bert, "p_reason": "r"})
	for b.One("referral.pay_due", payDue)["paid"].(int) > 0 {
	}
	paid := b.owner.Value("select sum(reward_kopecks)::int from referral.reward where telegram_id = $1", bert)
	require.Equal(b, len(guests), b.count("referral.reward where status = 'paid'"))
	require.Equal(b, paid, b.Available(bert))
}

func TestC9BindWhileBuying(t *testing.T) { bindWhileBuying(setup(t)) }

// bindWhileBuying lets newcomers come by a link and without one at once, and users who are there already open a link while
// they buy: the first call decides, for ever, and cashback goes where the binding says.
func bindWhileBuying(b *bundle) {
	old := b.customers(15, desk.Basic1)
	calls := []call{}
	for i, user := range old {
		calls = append(calls, call{b.bots[0], "account.register", started(user, b.link(anna))},
			call{b.bots[1], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "basic", 1, "k"))},
			call{b.bots[0], "account.register", started(6000+i, b.link(anna))},
			call{b.bots[1], "account.register", started(6000+i, nil)})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	for i := range old {
		b.Credit(6000+i, desk.Basic1)
		b.Buy(6000+i, "basic", 1, "k")
	}
	for b.One("referral.pay_due", payDue)["paid"].(int) > 0 {
	}
	require.Zero(b, b.count("account.account where telegram_id between 3000 and 3999 and referrer_id is not null"))
	require.Zero(b, b.count(`account.account a full join referral.reward r on r.referred_id = a.telegram_id
		and r.telegram_id = a.referrer_id where (a.referrer_id is null) <> (r.purchase_id is null)`), "bound and rewarded, or neither")
}

func TestD6ReversalAfterTheMoneyLeft(t *testing.T) { moneyLeft(setup(t)) }

// moneyLeft: the provider takes a top-up back while its withdrawal is approved. What has left is debt.
func moneyLeft(b *bundle) {
	users := b.customers(15, 0)
	calls := []call{}
	for i, user := range users {
		charge := fmt.Sprint("c", i)
		b.Settle(charge, b.Topup(user, least, "k"), least)
		calls = append(calls, call{b.bots[0], "billing.reverse_payment", reversal(charge, least)},
			call{b.bots[1], "withdrawal.approve", decided(boss, b.request(user, least, "k"))})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	for _, user := range users {
		now := b.One("wallet.balance", A{"p_telegram_id": user})
		require.Equal(b, []any{0, 0, least}, []any{now["available_kopecks"], now["held_kopecks"], now["debt_kopecks"]})
		b.Refused("WA001", "withdrawal.request", wish(user, least, "again"))
	}
	// The price of a refunded purchase pays no debt off by itself: it is the user's balance, and cannot be withdrawn.
	b.Credit(users[0], desk.Basic1)
	b.One("billing.refund_purchase", refund(boss, b.Buy(users[0], "basic", 1, "k")["purchase_id"]))
	require.Equal(b, desk.Basic1, b.Available(users[0]))
}

func TestD9CapAtMidnight(t *testing.T) { capAtMidnight(setup(t)) }

// capAtMidnight lets twenty clients in sessions of a time zone request and cancel while midnight passes.
func capAtMidnight(b *bundle) {
	midnight := time.Date(2027, 3, 6, 0, 0, 0, 0, time.UTC)
	for i, zone := range []string{"UTC", "Europe/Moscow", "Pacific/Kiritimati", "America/Los_Angeles"} {
		user := b.customers(4, least)[i]
		location, err := time.LoadLocation(zone)
		require.NoError(b, err)
		local := time.Date(2027, 3, 6, 0, 0, 0, 0, location).UTC()
		b.owner.On(b, b.super).Query(fmt.Sprintf("alter role %s in database %s set timezone = '%s'",
			harness.BotLogin, b.harness.Database, zone))
		for _, pool := range b.bots {
			pool.Reset()
		}
		done := 0
		nights := []time.Time{midnight, local}
		slices.SortFunc(nights, time.Time.Compare)
		for _, at := range nights {
			for _, now := range []time.Time{at.Add(-time.Millisecond), at, at.Add(time.Millisecond)} {
				b.owner.At(now)
				calls := []call{}
				for j := range 20 {
					calls = append(calls, call{b.bots[j%2], "withdrawal.request", wish(user, least, fmt.Sprint(now, j))})
				}
				for _, a := range b.rush(calls...) {
					require.Contains(b, []string{"", "WD004"}, a.code())
					if a.err == nil && a.rows[0]["is_replay"] == false { // in UTC both midnights are one
						done++
						b.One("withdrawal.cancel", A{"p_telegram_id": user, "p_withdrawal_id": a.rows[0]["withdrawal_id"]})
					}
				}
			}
		}
		require.Equal(b, 3, done, zone)
	}
}

func TestE10ReplayedByAnotherUser(t *testing.T) { replayed(setup(t)) }

// replayed: somebody who saw another's charge id brings it again and again, for a purchase of their own.
func replayed(b *bundle) {
	id := b.Open(bert, "basic", 1, "k")
	first := b.One("billing.settle_payment", settle("c", id, bert, desk.Basic1))
	thief := b.customers(1, 0)[0]
	own, topup := b.Open(thief, "basic", 1, "k"), b.Topup(thief, 25000, "t")
	calls := []call{}
	for i := range 25 {
		calls = append(calls, call{b.bots[i%2], "billing.settle_payment", settle("c", own, thief, desk.Basic1)},
			call{b.bots[i%2], "billing.settle_payment", settle("c", topup, thief, 25000)})
	}
	first["is_replay"] = true
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
		require.Equal(b, first, a.rows[0], "it is the first one's payment, and says so")
	}
	require.Equal(b, 0, b.Available(thief))
	require.Equal(b, 1, b.count("billing.payment"))
	require.Equal(b, 2, b.count("billing.purchase where telegram_id = $1 and status = 'open'", thief))
	require.Positive(b, b.count("audit.event where action = 'alarm.payment_amount_differs'"), "the admins see the try")
}

func TestE12CheckedAndNeverPaid(t *testing.T) { neverPaid(setup(t)) }

// neverPaid: a checkout reserves nothing beyond the purchase, whose reservation ends once.
func neverPaid(b *bundle) {
	b.issue("LAST", 1, 1)
	id := b.One("billing.open_purchase", with(bert, "LAST", "k"))["purchase_id"]
	b.One("billing.attach_invoice", A{"p_purchase_id": id, "p_provider": "telegram", "p_invoice_id": "i",
		"p_amount_minor": discounted, "p_currency": "RUB"})
	check := desk.Mine(bert, id).With("p_amount_minor", discounted).With("p_currency", "RUB")
	for _, a := range b.rush(times(20, b.bots, "billing.precheck", check)...) {
		require.Equal(b, true, a.rows[0]["is_payable"])
	}
	b.owner.Later("30 minutes")
	ended := 0
	calls := append(times(8, b.workers, "billing.expire_due", A{"p_epoch": nil, "p_limit": 5}), times(8, b.bots, "billing.precheck", check)...)
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
		if a.function == "billing.expire_due" {
			ended += a.rows[0]["expired"].(int)
		} else {
			require.Equal(b, false, a.rows[0]["is_payable"])
		}
	}
	require.Equal(b, 1, ended)
	require.Zero(b, b.count("promo.use"))
	require.Equal(b, 1, b.One("promo.validate", A{"p_telegram_id": anna, "p_code": "LAST"})["uses_left"])
}

func TestE15ChargebackDuringTheRenewal(t *testing.T) { chargebackAndRenewal(setup(t)) }

// chargebackAndRenewal: the first period was paid through a provider who takes the money back while workers renew.
func chargebackAndRenewal(b *bundle) {
	at := time.Date(2027, 7, 5, 10, 0, 0, 0, time.UTC) // July and August are equally long
	b.owner.At(at)
	users := b.customers(15, desk.Basic1)
	calls := times(6, b.workers, "subscription.renew_due", renewDue)
	for _, user := range users {
		charge := fmt.Sprint("c", user)
		b.Settle(charge, b.Open(user, "basic", 1, "k"), desk.Basic1)
		b.One("subscription.set_auto_renew", A{"p_telegram_id": user, "p_is_on": true})
		calls = append(calls, times(2, b.bots, "billing.reverse_payment", reversal(charge, desk.Basic1))...)
	}
	b.owner.At(at.AddDate(0, 1, 0).Add(-time.Hour))
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	b.One("subscription.renew_due", renewDue)
	renewed := 0
	for _, user := range users {
		charged := b.charged(user)
		require.Contains(b, []any{0, 1}, charged["renewals"])
		require.Equal(b, charged["renewals"], charged["charges"])
		now := b.One("wallet.balance", A{"p_telegram_id": user})
		require.Equal(b, []any{desk.Basic1 * (1 - charged["charges"].(int)), 0}, []any{now["available_kopecks"], now["debt_kopecks"]})
		renewed += charged["charges"].(int)
		status := b.One("subscription.current", A{"p_telegram_id": user})["status"]
		require.Equal(b, charged["charges"] == 1, status == "active", "who paid for a period has it")
	}
	b.Logf("%d of %d were renewed first", renewed, len(users))
	require.Equal(b, len(users), b.count("billing.payment where outcome = 'reversed'"))
}

func TestF5OldEpochIsRefused(t *testing.T) { oldEpoch(setup(t)) }

// oldEpoch: two workers think that they lead, because the first did not notice that its lease was over.
func oldEpoch(b *bundle) {
	for _, user := range b.customers(30, 0) {
		b.Open(user, "basic", 1, "k")
	}
	lead := func(holder string) any {
		return b.One("ops.acquire_lease", A{"p_name": "billing.expire_due", "p_holder": holder, "p_ttl": "30 seconds"})["epoch"]
	}
	old := lead("first")
	b.owner.Later("31 minutes")
	calls := append(times(10, b.workers, "billing.expire_due", A{"p_epoch": old, "p_limit": 1}),
		call{b.workers[0], "ops.acquire_lease", A{"p_name": "billing.expire_due", "p_holder": "second", "p_ttl": "30 seconds"}})
	for _, a := range b.rush(calls...) {
		require.Contains(b, []string{"", "OP002"}, a.code())
	}
	epoch := lead("second")
	require.Equal(b, old.(int)+1, epoch)
	before := b.count("billing.purchase where status = 'expired'")
	calls = append(times(20, b.workers, "billing.expire_due", A{"p_epoch": old, "p_limit": 100}),
		times(20, b.workers, "billing.expire_due", A{"p_epoch": epoch, "p_limit": 1})...)
	expired := 0
	for _, a := range b.rush(calls...) {
		want := "OP002"
		if a.args["p_epoch"] == epoch {
			want = ""
			expired += a.rows[0]["expired"].(int)
		}
		require.Equal(b, want, a.code())
	}
	require.Equal(b, before+expired, b.count("billing.purchase where status = 'expired'"), "only the newest leader writes")
	require.Positive(b, expired)
}
