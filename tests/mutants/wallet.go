package mutants

// mayBeNegative is what keeps balances above zero, taken away.
const mayBeNegative = "alter domain core.balance_kopecks drop constraint balance_not_negative"

func wallet() []Mutant {
	return []Mutant{
		{
			Name: "key that is not looked up", Function: "wallet._adjust",
			Right: "_adjust.is_replay := found;", Wrong: "_adjust.is_replay := false;",
			Package: "contract", Test: "TestCreditAndDebit",
		},
		{
			Name: "key that is kept nowhere", Function: "wallet._adjust",
			Right: "_adjust.is_replay := found;", Wrong: "_adjust.is_replay := false;",
			Without: "drop index ledger.transfer_key_once",
			Package: "race", Test: "TestA1DoubleOpen",
		},
		{
			Name: "key that fits any arguments", Function: "wallet._adjust",
			Right:   "if (v_first.amount_kopecks, v_first.actor_id, v_first.note)\n     is distinct from (p_amount_kopecks, p_admin_id, p_note) then",
			Wrong:   "if (v_first.actor_id, v_first.note)\n     is distinct from (p_admin_id, p_note) then",
			Package: "contract", Test: "TestCreditKeyReused", Shrinks: true,
		},
		{
			Name: "key of all users", Function: "wallet._adjust",
			Right: "where t.telegram_id = p_telegram_id and t.reason = p_reason", Wrong: "where t.reason = p_reason",
			Package: "race", Test: "TestA2MoneyForOne",
		},
		{
			Name: "key of credits and debits alike", Function: "wallet._adjust",
			Right: "where t.telegram_id = p_telegram_id and t.reason = p_reason\n", Wrong: "where t.telegram_id = p_telegram_id\n",
			Package: "contract", Test: "TestCreditAndDebit",
		},
		{
			Name: "credit without the user's lock", Function: "wallet._adjust", Right: lockUser,
			Package: "race", Test: "TestA1SecondTapWaitsForTheFirst",
		},
		{
			Name: "credit that looks before it locks", Function: "wallet._adjust", Right: lockUser,
			More:    []Edit{{Right: "_adjust.is_replay := found;", Wrong: "_adjust.is_replay := found;\n  " + lockUser}},
			Package: "race", Test: "TestA1SecondTapWaitsForTheFirst",
		},
		{
			Name: "credit that is stable", Function: "wallet._adjust", Right: " LANGUAGE plpgsql\n", Wrong: " LANGUAGE plpgsql STABLE\n",
			Package: "race", Test: "TestA1SecondTapWaitsForTheFirst",
		},
		{
			Name: "balance that nobody checks", Function: "ledger._post",
			Right:   "and w.available_kopecks + v_available_change >= 0",
			Package: "contract", Test: "TestDebitNeedsTheMoney", Shrinks: true,
		},
		{
			Name: "balance below zero", Function: "ledger._post",
			Right:   "and w.available_kopecks + v_available_change >= 0",
			Without: mayBeNegative,
			Package: "contract", Test: "TestDebitNeedsTheMoney",
		},
		{
			Name: "version that stays", Function: "ledger._post",
			Right: "version = w.version + 1", Wrong: "version = w.version",
			Package: "contract", Test: "TestCreditAndDebit",
		},
		{
			Name: "version with gaps", Function: "ledger._post",
			Right: "version = w.version + 1", Wrong: "version = w.version + 2",
			Package: "contract", Test: "TestCreditAndDebit",
		},
		{
			Name: "ledger row of the transaction's beginning", Function: "ledger._post",
			Right: "v_debt_kopecks, p_now,", Wrong: "v_debt_kopecks, now(),",
			Package: "race", Test: "TestLedgerTimesGrowWithVersions",
		},
		{
			Name: "debt that grows when it is paid", Function: "ledger._post",
			Right: "when p_credit = 'debt' then -p_amount_kopecks", Wrong: "when p_credit = 'debt' then p_amount_kopecks",
			Package: "contract", Test: "TestDebtTakesAWholeReward",
		},
	}
}
