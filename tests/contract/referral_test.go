package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func referralFunctions() []function {
	return []function{
		due("referral.pay_due", "paid integer, paid_kopecks bigint"),
		{name: "referral.stats", reads: true, allowed: "bot admin",
			returns: "code text, invited bigint, paying bigint, level text, percent integer, earned_kopecks bigint, " +
				"next_level text, next_from_paying integer, next_percent integer",
			args: func(world) A { return A{"p_telegram_id": anna} }},
	}
}

// invited registers somebody by a user's link and gives them money for one basic month and more.
func (b *bundle) invited(referrer, id, kopecks int) {
	b.Helper()
	bound := b.One("account.register", start(id, "ref_"+b.profile(referrer)["referral_code"].(string)))
	require.Equal(b, referrer, bound["referrer_id"])
	if kopecks > 0 {
		b.Credit(id, kopecks)
	}
}

func (b *bundle) payDue() Row {
	b.Helper()
	return b.One("referral.pay_due", batch(nil, 1000))
}

func (b *bundle) stats(id int) Row {
	b.Helper()
	row := b.One("referral.stats", A{"p_telegram_id": id})
	return pick(row, "invited", "paying", "level", "percent", "earned_kopecks")
}

// clawBack refunds a purchase, which leaves a claw-back for the referrer's turn.
func (b *bundle) clawBack(purchase string) {
	b.Helper()
	b.One("billing.refund_purchase", A{"p_admin_id": boss, "p_purchase_id": purchase, "p_reason": "does not work"})
}

func (b *bundle) reward(purchase string) Row {
	b.Helper()
	rows := b.owner.Query(`select telegram_id, status::text, paid_kopecks::bigint, percent::int, reward_kopecks::bigint
		from referral.reward where purchase_id = $1`, purchase)
	require.Len(b, rows, 1)
	return rows[0]
}

func TestCashback(t *testing.T) {
	b := setup(t)
	b.invited(bert, 2000, desk.Rich)
	b.invited(bert, 2001, desk.Rich)
	require.Equal(t, Row{"invited": 2, "paying": 0, "level": "silver", "percent": 10, "earned_kopecks": 0}, b.stats(bert))
	require.Equal(t, b.profile(bert)["referral_code"], b.One("referral.stats", A{"p_telegram_id": bert})["code"])

	first := b.Buy(2000, "basic", 1, "first")["purchase_id"].(string)
	require.Equal(t, 0, b.Available(bert), "the buyer's transaction only promises it")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 1490}, b.payDue())
	require.Equal(t, Row{"paid": 0, "paid_kopecks": 0}, b.payDue())
	require.Equal(t, 1490, b.Available(bert))
	require.Equal(t, Row{"telegram_id": bert, "status": "paid", "paid_kopecks": 14900, "percent": 10, "reward_kopecks": 1490},
		b.reward(first))
	require.Equal(t, []string{"referral_joined", "referral_joined", "cashback"}, b.messages(bert))
	require.Equal(t, 1490, b.owner.Value("select amount_kopecks from outbox.task where name = 'cashback'"))
	line := b.All("wallet.statement", A{"p_telegram_id": bert, "p_limit": 1, "p_before_version": nil})[0]
	require.Equal(t, Row{"reason": "cashback", "amount_kopecks": 1490, "reference": "purchase:" + first},
		pick(line, "reason", "amount_kopecks", "reference"))

	b.Settle("card", b.Open(2000, "plus", 1, "again"), desk.Plus1)
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 2990}, b.payDue(), "every purchase, by any method")
	b.Settle("topup", b.Topup(2001, 25000, "topup"), 25000)
	require.Equal(t, Row{"paid": 0, "paid_kopecks": 0}, b.payDue(), "never a top-up")
	require.Equal(t, Row{"invited": 2, "paying": 1, "level": "silver", "percent": 10, "earned_kopecks": 4480}, b.stats(bert))
}

func TestCashbackIsNotForNothing(t *testing.T) {
	b := setup(t)
	b.invited(bert, 2000, desk.Rich)
	b.owner.Query("update billing.tariff_price set list_kopecks = 9 where tariff = 'basic' and months = 1")
	b.Buy(2000, "basic", 1, "k")
	require.Equal(t, Row{"paid": 0, "paid_kopecks": 0}, b.payDue(), "rounded down")
	require.Equal(t, Row{"invited": 1, "paying": 1, "level": "silver", "percent": 10, "earned_kopecks": 0}, b.stats(bert),
		"but the referral pays")
	require.Equal(t, 0, b.count("ledger.transfer where telegram_id = 1002"))
	require.Equal(t, []string{"referral_joined"}, b.messages(bert))

	b.Buy(anna, "basic", 1, "k")
	require.Equal(t, 1, b.count("outbox.task where kind = 'cashback'"), "who was not invited brings nobody anything")

	b.invited(bert, 2001, 0)
	b.owner.Query("update account.account set discount_percent = 99 where telegram_id = 2001") // nine kopecks less 99 % are none
	b.Buy(2001, "basic", 1, "k")
	require.Equal(t, 1, b.count("outbox.task where kind = 'cashback'"), "a price of 0 pays nothing")
	require.Equal(t, 1, b.stats(bert)["paying"], "and does not count")
}

func TestLevels(t *testing.T) {
	b := setup(t)
	b.owner.Query("update billing.tariff_price set list_kopecks = 1000 where tariff = 'basic' and months = 1")
	percents, levels, next := map[int]int{}, map[int]any{}, map[int]Row{}
	for i := 1; i <= 51; i++ {
		id := 2000 + i
		b.invited(bert, id, 1000)
		b.Buy(id, "basic", 1, "k")
		percents[i] = b.payDue()["paid_kopecks"].(int) / 10
		levels[i] = b.stats(bert)["level"]
		require.Equal(t, percents[i], b.stats(bert)["percent"], "what is shown is what was paid")
		next[i] = pick(b.One("referral.stats", A{"p_telegram_id": bert}), "next_level", "next_from_paying", "next_percent")
	}
	require.Equal(t, []int{10, 25, 25, 45, 45}, []int{percents[24], percents[25], percents[49], percents[50], percents[51]},
		"counting this one")
	require.Equal(t, []any{"silver", "gold", "gold", "platinum"}, []any{levels[24], levels[25], levels[49], levels[50]})
	gold := Row{"next_level": "gold", "next_from_paying": 25, "next_percent": 25}
	platinum := Row{"next_level": "platinum", "next_from_paying": 50, "next_percent": 45}
	highest := Row{"next_level": nil, "next_from_paying": nil, "next_percent": nil}
	require.Equal(t, []Row{gold, gold, platinum, platinum, highest, highest},
		[]Row{next[1], next[24], next[25], next[49], next[50], next[51]})
	b.Credit(2001, 1001)
	b.Buy(2001, "basic", 1, "again")
	b.payDue()
	require.Equal(t, 51, b.stats(bert)["paying"], "the same one twice counts once")
}

func TestC7CashbackOfABlockedReferrer(t *testing.T) {
	b := setup(t)
	b.invited(bert, 2000, desk.Rich)
	b.owner.Query("update account.account set is_blocked = true where telegram_id = $1", bert)
	b.Buy(2000, "basic", 1, "k")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 1490}, b.payDue())
	require.Equal(t, 1490, b.Available(bert))
}

func TestClawBack(t *testing.T) {
	b := setup(t)
	b.invited(bert, 2000, desk.Rich)
	bought := b.Buy(2000, "basic", 1, "k")["purchase_id"].(string)
	b.payDue()
	b.One("wallet.debit", by(boss, bert, 490, "spent", "k"))
	b.clawBack(bought)
	require.Equal(t, Row{"paid": 0, "paid_kopecks": 0}, b.payDue())
	require.Equal(t, Row{"available_kopecks": 0, "held_kopecks": 0, "version": 4, "debt_kopecks": 490},
		b.One("wallet.balance", A{"p_telegram_id": bert}), "what is not there any more is debt")
	require.Equal(t, Row{"invited": 1, "paying": 1, "level": "silver", "percent": 10, "earned_kopecks": 0}, b.stats(bert),
		"a refund does not uncount")
	require.Equal(t, "clawed_back", b.reward(bought)["status"])
	require.Equal(t, []string{"referral_joined", "cashback", "cashback_clawed_back"}, b.messages(bert))
	require.Equal(t, Row{"paid": 0, "paid_kopecks": 0}, b.payDue())

	b.Buy(2000, "plus", 1, "later")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 2990}, b.payDue())
	require.Equal(t, Row{"available_kopecks": 2500, "held_kopecks": 0, "version": 6, "debt_kopecks": 0},
		b.One("wallet.balance", A{"p_telegram_id": bert}), "later cashback repays debt first")
	require.Equal(t, 2990, b.stats(bert)["earned_kopecks"])
}

func TestC6ClawBackOfWhatIsThere(t *testing.T) {
	b := setup(t)
	b.invited(bert, 2000, desk.Rich)
	bought := b.Buy(2000, "basic", 1, "k")["purchase_id"].(string)
	b.payDue()
	b.clawBack(bought)
	b.payDue()
	require.Equal(t, Row{"available_kopecks": 0, "held_kopecks": 0, "version": 2, "debt_kopecks": 0},
		b.One("wallet.balance", A{"p_telegram_id": bert}))
}

func TestDebtTakesAWholeReward(t *testing.T) {
	b := setup(t)
	b.invited(bert, 2000, desk.Rich)
	bought := b.Buy(2000, "plus", 1, "k")["purchase_id"].(string)
	b.payDue()
	b.One("wallet.debit", by(boss, bert, 2990, "spent", "k"))
	b.clawBack(bought)
	b.payDue()
	b.Buy(2000, "basic", 1, "later")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 1490}, b.payDue())
	require.Equal(t, Row{"available_kopecks": 0, "held_kopecks": 0, "version": 4, "debt_kopecks": 1500},
		b.One("wallet.balance", A{"p_telegram_id": bert}))
}

func TestClawBackBeforeTheReward(t *testing.T) {
	for name, swap := range map[string]bool{"in order": false, "the claw-back promised first": true} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.invited(bert, 2000, desk.Rich)
			bought := b.Buy(2000, "basic", 1, "k")["purchase_id"].(string)
			b.clawBack(bought)
			if swap {
				b.script(`update outbox.task set task_id = -task_id, due_at = due_at - interval '1 hour' * task_id
					where kind = 'cashback'`)
			}
			require.Equal(t, Row{"paid": 0, "paid_kopecks": 0}, b.One("referral.pay_due", batch(nil, 1)))
			require.Equal(t, 0, b.count("outbox.task where kind = 'cashback' and outcome is distinct from 'void'"), "both are void")
			require.Equal(t, Row{"paid": 0, "paid_kopecks": 0}, b.payDue())
			require.Equal(t, Row{"telegram_id": bert, "status": "void", "paid_kopecks": 14900, "percent": 0,
				"reward_kopecks": 0}, b.reward(bought))
			require.Equal(t, Row{"invited": 1, "paying": 0, "level": "silver", "percent": 10, "earned_kopecks": 0},
				b.stats(bert))
			require.Equal(t, []string{"referral_joined"}, b.messages(bert))
		})
	}
}

func TestClawBackWithoutAReward(t *testing.T) {
	b := setup(t)
	b.owner.Query(`insert into outbox.task (telegram_id, kind, name, due_at, created_at, purchase_id)
		values ($1, 'cashback', 'clawback', core.now(), core.now(), $2)`, bert, unknown)
	require.Equal(t, Row{"paid": 0, "paid_kopecks": 0}, b.payDue())
	require.Equal(t, "void", b.owner.Value("select outcome from outbox.task where kind = 'cashback'"))
}

func TestPayDueTakesAtMostSoMany(t *testing.T) {
	b := setup(t)
	for id := 2000; id < 2005; id++ {
		b.invited([]int{anna, bert}[id%2], id, desk.Rich)
		b.Buy(id, "basic", 1, "k")
	}
	for _, want := range []int{2, 2, 1, 0} {
		require.Equal(t, Row{"paid": want, "paid_kopecks": want * 1490}, b.One("referral.pay_due", batch(nil, 2)))
	}
}

func TestPayDueIsFenced(t *testing.T) {
	b := setup(t)
	lease := func(holder string) any {
		return b.One("ops.acquire_lease", lease("referral.pay_due", holder, "30 seconds"))["epoch"]
	}
	first := lease("one").(int)
	b.owner.Later("31 seconds")
	require.Equal(t, first+1, lease("two"))
	b.Refused("OP002", "referral.pay_due", batch(first, 10))
	b.One("referral.pay_due", batch(first+1, 10))
}

func TestOneBadReferrerDoesNotStopTheOthers(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("Anna's cashback cannot be paid")
	b.invited(anna, 2000, desk.Rich)
	b.invited(bert, 2001, desk.Rich)
	b.Buy(2000, "basic", 1, "k")
	b.Buy(2001, "basic", 1, "k")
	b.script("alter table referral.reward add constraint poison check (telegram_id <> 1001) not valid")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 1490}, b.payDue())
	require.Equal(t, 1490, b.Available(bert))
	require.Equal(t, desk.Rich, b.Available(anna), "nothing of it is left behind")
	require.Equal(t, 0, b.stats(anna)["paying"])
	require.Equal(t, []Row{{"check_name": "dead_letter", "subject": "referral.pay_due telegram_id:1001"}},
		b.Query("select check_name, subject from ops.reconcile()"))

	b.Credit(2001, 50000)
	b.Buy(2001, "basic", 1, "more")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 1490}, b.One("referral.pay_due", batch(nil, 1)),
		"she does not stand in the others' way")
	b.script("alter table referral.reward drop constraint poison")
	b.owner.Later("61 minutes")
	require.Equal(t, Row{"paid": 1, "paid_kopecks": 1490}, b.payDue(), "and is tried again")
}

// TestC2SelfReferral is the scenario's name for what TestRegisterByReferralLink looks at closer.
func TestC2SelfReferral(t *testing.T) {
	b := setup(t)
	link := "ref_" + b.profile(anna)["referral_code"].(string)
	row := b.One("account.register", start(anna, link))
	require.Equal(t, Row{"referrer_id": nil, "bind_refusal": "self"}, pick(row, "referrer_id", "bind_refusal"))
	require.Equal(t, 1, b.count("audit.event where action = 'account.register.bind_refused' and actor_id = 1001"))
	_, err := b.owner.TryQuery("update account.account set referrer_id = telegram_id where telegram_id = 1001")
	require.Equal(t, "23514", desk.Code(err), "the table says so, too")
}

func TestC9BindAfterTheFirstPurchase(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "k")
	row := b.One("account.register", start(anna, "ref_"+b.profile(bert)["referral_code"].(string)))
	require.Equal(t, Row{"referrer_id": nil, "bind_refusal": "already_registered"}, pick(row, "referrer_id", "bind_refusal"))
	b.Buy(anna, "basic", 1, "again")
	require.Equal(t, 0, b.count("outbox.task where kind = 'cashback'"), "order decides, once and for ever")
}

func TestReconcileFindsFaultsOfReferrals(t *testing.T) {
	b := setup(t)
	b.invited(bert, 2000, desk.Rich)
	b.invited(bert, 2001, desk.Rich)
	names := map[string]any{}
	buy := func(id int, key string) {
		names[key] = b.Buy(id, "basic", 1, key)["purchase_id"]
	}
	buy(2000, "paid")
	buy(2000, "back")
	b.payDue()
	b.clawBack(names["back"].(string))
	buy(2001, "void")
	b.clawBack(names["void"].(string))
	b.payDue()
	buy(2000, "waits")
	names["other"] = b.Buy(anna, "basic", 1, "other")["purchase_id"]
	const ofBert = "telegram_id:1002"
	b.finds(names, []fault{
		{"a reward of another size than booked", `update referral.reward set reward_kopecks = 1480, paid_kopecks = 14800
			where purchase_id = '{paid}'; update billing.purchase set price_kopecks = 14800 where purchase_id = '{paid}';
			update ledger.transfer set amount_kopecks = 14800 where reason = 'purchase' and purchase_id = '{paid}';
			update referral.referrer set earned_kopecks = 1480`,
			[]string{"balance_chain telegram_id:2000", "reward_is_booked purchase:{paid}"}},
		{"a reward that is not in the ledger", `update ledger.transfer set purchase_id = '{other}'
			where reason = 'cashback' and purchase_id = '{paid}'`,
			[]string{"reward_is_booked purchase:{other}", "reward_is_booked purchase:{paid}"}},
		{"a claw-back above the reward", "update ledger.transfer set purchase_id = '{paid}' where reason = 'clawback'",
			[]string{"reward_is_booked purchase:{back}", "reward_is_booked purchase:{paid}"}},
		{"a second reward for a purchase", `insert into referral.reward select 1, purchase_id, referred_id, 'void', paid_kopecks,
			0, 0, rewarded_at from referral.reward where purchase_id = '{void}'`,
			[]string{"one_reward_per_purchase purchase:{void}", "reward_is_for_its_purchase purchase:{void}"}},
		{"a reward for another price", `update referral.reward set paid_kopecks = 14901 where purchase_id = '{paid}'`,
			[]string{"reward_is_for_its_purchase purchase:{paid}"}},
		{"a reward for somebody else's purchase", `update referral.reward set referred_id = 2001 where purchase_id = '{back}'`,
			[]string{"paying_has_paid telegram_id:2001", "reward_is_for_its_purchase purchase:{back}"}},
		{"another percent", "update referral.reward set percent = 25 where purchase_id = '{paid}'",
			[]string{"reward_is_its_percent purchase:{paid}"}},
		{"a void reward with a percent", "update referral.reward set percent = 10, paid_kopecks = 9 where purchase_id = '{void}'",
			[]string{"reward_is_for_its_purchase purchase:{void}", "reward_is_its_percent purchase:{void}"}},
		{"clawed back nobody knows when", "update referral.reward set clawed_back_at = null where purchase_id = '{back}'",
			[]string{"reward_is_its_percent purchase:{back}"}},
		{"a purchase that nobody was rewarded for", "delete from outbox.task where kind = 'cashback' and finished_at is null",
			[]string{"purchase_is_rewarded purchase:{waits}"}},
		{"a refund that was not clawed back", "update billing.purchase set status = 'refunded' where purchase_id = '{paid}'",
			[]string{"purchase_is_rewarded purchase:{paid}", "refunded_purchase_has_refund purchase:{paid}"}},
		{"one referral more than there are", "update referral.referrer set paying_count = 2", []string{"paying_is_counted " + ofBert}},
		{"a referrer who counts nobody", "delete from referral.referrer; delete from referral.paying",
			[]string{"earned_is_rewards " + ofBert, "paying_has_paid telegram_id:2000"}},
		{"a referral that has not paid", `insert into referral.paying values (1002, 2001, core.now());
			update referral.referrer set paying_count = 2`, []string{"paying_has_paid telegram_id:2001"}},
		{"earned more than paid", "update referral.referrer set earned_kopecks = earned_kopecks + 1",
			[]string{"earned_is_rewards " + ofBert}},
	})
}

func TestTimeOfRewards(t *testing.T) {
	b := setup(t)
	b.invited(bert, 2000, desk.Rich)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(2000, "basic", 1, "k")
	b.owner.At(at.Add(time.Second))
	b.payDue()
	for _, sql := range []string{"select rewarded_at from referral.reward", "select since from referral.paying",
		"select created_at from ledger.transfer where reason = 'cashback'",
		"select finished_at from outbox.task where kind = 'cashback'"} {
		require.Equal(t, at.Add(time.Second), b.owner.Value(sql), fmt.Sprint(sql))
	}
}
