package mutants

const (
	hadTrial = "elsif exists (select 1 from subscription.change c\n" +
		"                where c.telegram_id = p_telegram_id and c.kind = 'trial') then"
	isRenewed  = "where o.telegram_id = p.telegram_id\n                         and o.renews_expires_at = p.expires_at)"
	clockAgain = "v_now := core.now(); -- the candidates' was from before the locks"
	rewardDone = "paid_kopecks := paid_kopecks + v_reward_kopecks;\n" +
		"      perform outbox._finish(v_task.telegram_id, v_task.task_id, 'done');"
)

func subscriptions() []Mutant {
	return []Mutant{
		{
			Name: "end that never comes forward", Function: "subscription._extend",
			Right: "      expires_at = p_expires_at,", Wrong: "      expires_at = greatest(s.expires_at, p_expires_at),",
			Package: "contract", Test: "TestMovingBetweenTariffs",
		},
		{
			Name: "key that outlives its identity", Function: "subscription._extend",
			Right:   "key_uri = case when s.vpn_uuid = p_vpn_uuid then s.key_uri end,",
			Wrong:   "key_uri = s.key_uri,",
			Package: "contract", Test: "TestPurchaseAfterTheEndRemovesTheOldKey",
		},
		{
			Name: "renewal twice in a period", Function: "subscription._renewals", Right: isRenewed, Wrong: "where false)",
			Package: "contract", Test: "TestRenewalIsChargedAtMostOncePerPeriod",
		},
		{
			Name: "renewal twice in a period, and nothing says once", Function: "subscription._renewals",
			Right: isRenewed, Wrong: "where false)",
			Without: "drop index billing.purchase_renews_period_once",
			Package: "contract", Test: "TestRenewalIsChargedAtMostOncePerPeriod",
		},
		{
			Name: "renewal without the money", Function: "subscription._renewals",
			Right: "when p.available_kopecks >= p.price_kopecks then 'renew'", Wrong: "when true then 'renew'",
			Package: "contract", Test: "TestF8DeclinedThenDeposit",
		},
		{
			Name: "renewal of a blocked user", Function: "subscription._renewals", Right: " and not a.is_blocked", Wrong: "",
			Package: "contract", Test: "TestNothingToRenew",
		},
		{
			Name: "renewal of what is over", Function: "subscription._renewals",
			Right: "s.auto_renew and s.expires_at > p_now", Wrong: "s.auto_renew",
			Package: "contract", Test: "TestNothingToRenew",
		},
		{
			Name: "renewal days too early", Function: "subscription._renewals",
			Right: "when p.near_at > p_now then 'wait'", Wrong: "",
			Package: "contract", Test: "TestRenewal",
		},
		{
			Name: "renewal that does not count its version", Function: "subscription._renew",
			Right: "version = w.version + (p.price_kopecks > 0)::int", Wrong: "version = w.version",
			Package: "contract", Test: "TestRenewal",
		},
		{
			Name: "renewal without locks", Function: "subscription.renew_due", Right: "for no key update skip locked",
			Package: "race", Test: "TestF2RenewalPassesABusyUser",
		},
		{
			Name: "renewal that waits for the busy", Function: "subscription.renew_due",
			Right: "for no key update skip locked", Wrong: "for no key update",
			Package: "race", Test: "TestF2RenewalPassesABusyUser",
		},
		{
			Name: "renewal with the clock of before its locks", Function: "subscription.renew_due",
			Right:   clockAgain,
			Package: "race", Test: "TestLedgerTimesGrowWithVersions/renew_due",
		},
		{
			Name: "trial again and again", Function: "subscription.start_trial",
			Right: hadTrial, Wrong: "elsif false then",
			Package: "contract", Test: "TestTrial",
		},
		{
			Name: "trial again and again, and nothing says once", Function: "subscription.start_trial",
			Right: hadTrial, Wrong: "elsif false then",
			Without: "drop index subscription.change_one_trial",
			Package: "contract", Test: "TestTrial",
		},
		{
			Name: "trial without the user's lock", Function: "subscription.start_trial", Right: lockPayer,
			Wrong:   "v_is_blocked := false;",
			Package: "race", Test: "TestA10TrialWaitsForThePurchase",
		},
		{
			Name: "trial beside what is paid", Function: "subscription.start_trial",
			Right:   "where s.telegram_id = p_telegram_id and s.expires_at > v_now) then",
			Wrong:   "where false) then",
			Package: "contract", Test: "TestTrialIsForUsersWithoutSubscription",
		},
		{
			Name: "grant whose key is not looked up", Function: "subscription.grant_time",
			Right: "if v_first.is_found then", Wrong: "if false then",
			Package: "contract", Test: "TestGrant",
		},
		{
			Name: "grant whose key is kept nowhere", Function: "subscription.grant_time",
			Right: "if v_first.is_found then", Wrong: "if false then",
			Without: "drop index subscription.change_key_once",
			Package: "contract", Test: "TestGrant",
		},
		{
			Name: "replay that compares nothing", Function: "subscription._find_change",
			Right: "is distinct from (p_actor_id, p_duration, p_reason, p_is_told)",
			Wrong: "is distinct from (v_first.actor_id, v_first.duration, v_first.reason, v_first.is_told)",
			More:  []Edit{{Right: "or v_first.after_tariff <> p_tariff)", Wrong: "or false)"}}, Package: "contract", Test: "TestGrant",
		},
	}
}

func referrals() []Mutant {
	return []Mutant{
		{
			Name: "reward of a task that is never done", Function: "referral._work",
			Right:   rewardDone,
			Wrong:   "paid_kopecks := paid_kopecks + v_reward_kopecks;",
			Package: "contract", Test: "TestCashback",
		},
		{
			Name: "reward that is not unique", Function: "referral._work",
			Right:   rewardDone,
			Wrong:   "paid_kopecks := paid_kopecks + v_reward_kopecks;",
			Without: "alter table referral.reward drop constraint reward_pkey",
			Package: "contract", Test: "TestCashback",
		},
		{
			Name: "reward by the level of before", Function: "referral._reward",
			Right: "referral._level_of(v_paying_count)", Wrong: "referral._level_of(v_paying_count - 1)",
			Package: "contract", Test: "TestLevels",
		},
		{
			Name: "reward that rounds up", Function: "referral._reward",
			Right: "p_paid_kopecks * v_percent / 100;", Wrong: "(p_paid_kopecks * v_percent + 99) / 100;",
			Package: "contract", Test: "TestCashbackIsNotForNothing",
		},
		{
			Name: "reward that repays no debt", Function: "referral._reward",
			Right: "if v_to_debt_kopecks > 0 then", Wrong: "v_to_debt_kopecks := 0;\n  if false then",
			Package: "contract", Test: "TestDebtTakesAWholeReward",
		},
		{
			Name: "claw-back of more than there is", Function: "referral._claw_back",
			Right: "least(w.available_kopecks, v_reward_kopecks)", Wrong: "v_reward_kopecks",
			Package: "contract", Test: "TestClawBack",
		},
		{
			Name: "claw-back of what was never paid", Function: "referral._claw_back",
			Right: "if not found then", Wrong: "if false then",
			Package: "contract", Test: "TestClawBackWithoutAReward",
		},
		{
			Name: "cashback that waits for the busy", Function: "referral.pay_due",
			Right: "for no key update skip locked", Wrong: "for no key update",
			Package: "race", Test: "TestBusyReferrerIsLeftForTheNextRun",
		},
		{
			Name: "cashback with the clock of before its locks", Function: "referral.pay_due",
			Right:   clockAgain,
			Package: "race", Test: "TestLedgerTimesGrowWithVersions/pay_due",
		},
	}
}
