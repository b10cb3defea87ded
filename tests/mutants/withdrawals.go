package mutants

func withdrawals() []Mutant {
	return []Mutant{
		{
			Name: "second withdrawal while one is pending", Function: "withdrawal._require_may",
			Right: "if found then", Wrong: "if false then",
			Package: "contract", Test: "TestRequestRefused",
		},
		{
			Name: "two withdrawals, and nothing says one", Function: "withdrawal._require_may",
			Right: "if found then", Wrong: "if false then",
			Without: "drop index withdrawal.withdrawal_one_pending",
			Package: "contract", Test: "TestRequestRefused",
		},
		{
			Name: "four withdrawals a day", Function: "withdrawal._require_may",
			Right: "if v_recent >= v_per_day then", Wrong: "if v_recent > v_per_day then",
			Package: "race", Test: "TestD9Caps",
		},
		{
			Name: "withdrawal in spite of a debt", Function: "withdrawal._require_may",
			Right: "if v_wallet.debt_kopecks > 0 then", Wrong: "if false then",
			Package: "contract", Test: "TestNothingIsWithdrawnWhileThereIsADebt",
		},
		{
			Name: "one admin where two are needed", Function: "withdrawal.approve",
			Right: "then 2 else 1 end", Wrong: "then 1 else 1 end",
			Package: "race", Test: "TestD10FourEyesAtOnce", Shrinks: true,
		},
		{
			Name: "one admin who counts twice", Function: "withdrawal.approve", Right: "if found then", Wrong: "if false then",
			Package: "race", Test: "TestD10FourEyesAtOnce",
		},
		{
			Name: "one admin who counts twice, and nothing says once", Function: "withdrawal.approve",
			Right: "if found then", Wrong: "if false then",
			Without: "alter table withdrawal.approval drop constraint approval_pkey",
			Package: "race", Test: "TestD10FourEyesAtOnce",
		},
		{
			Name: "approval of one's own", Function: "withdrawal.approve",
			Right: "if v_telegram_id = p_admin_id then", Wrong: "if false then",
			Package: "contract", Test: "TestNobodyApprovesTheirOwn",
		},
		{
			Name: "approval of what has ended", Function: "withdrawal.approve",
			Right: "if v_withdrawal.status <> 'pending' then", Wrong: "if false then",
			Package: "race", Test: "TestD1ApproveRejectCancel",
		},
		{
			Name: "payout of what was paid or returned", Function: "withdrawal.approve",
			Right: "if v_withdrawal.status <> 'pending' then", Wrong: "if false then",
			More:    []Edit{{Function: "withdrawal._end", Right: "\n    and w.status = 'pending'", Wrong: ""}},
			Package: "race", Test: "TestD1ApproveRejectCancel",
		},
		{
			Name: "held money that is not returned", Function: "withdrawal._end",
			Right: "then 'payout' else 'available' end)::ledger.account", Wrong: "then 'payout' else 'payout' end)::ledger.account",
			Package: "contract", Test: "TestReject",
		},
		{
			Name: "decision without the user's lock", Function: "withdrawal._lock",
			Right:   "perform account._lock(v_telegram_id);",
			Package: "race", Test: "TestD1ApproveRejectCancel",
		},
		{
			Name: "decision that locks the withdrawal before the user", Function: "withdrawal._lock",
			Right: "where w.withdrawal_id = p_withdrawal_id;", Wrong: "where w.withdrawal_id = p_withdrawal_id\n  for no key update;",
			Package: "race", Test: "TestD1ApproveRejectCancel",
		},
		{
			Name: "draft that is submitted as often as one likes", Function: "withdrawal.submit",
			Right: "where w.telegram_id = p_telegram_id and w.draft_id = p_draft_id);", Wrong: "where false);",
			Package: "race", Test: "TestD4OneDraftSubmittedOften",
		},
		{
			Name: "draft without the user's lock", Function: "withdrawal.submit", Right: lockPayer, Wrong: "v_is_blocked := false;",
			Package: "race", Test: "TestD4OneDraftSubmittedOften",
		},
		{
			Name: "draft that never expires", Function: "withdrawal.submit",
			Right: " or v_draft.expires_at <= v_now", Wrong: "",
			Package: "contract", Test: "TestDraftAndSubmit",
		},
	}
}
