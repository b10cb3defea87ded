package mutants

const (
	advisoryLock = "perform pg_advisory_xact_lock((1::bigint << 56) | p_telegram_id);"
	lockUser     = "perform account._lock(p_telegram_id);"
)

func account() []Mutant {
	return []Mutant{
		{
			Name: "lock without its advisory half", Function: "account._lock", Right: advisoryLock,
			Package: "race",
			Test:    "Test(A1DoubleTap|A2MoneyForOne|A3PurchaseAndRenewal|B3PerUserLimit|D1ApproveRejectCancel|E1DuplicateWebhook)",
			Lives:   "the row is the authority: the advisory lock only keeps the queue in order",
		},
		{
			Name: "lock without its row", Function: "account._lock", Right: "\n  for no key update;", Wrong: ";",
			Package: "race", Test: "TestRowLocksAreTheAuthority/A1SecondTap",
		},
		{
			Name: "lock of nothing at all", Function: "account._lock", Right: advisoryLock,
			More:    []Edit{{Right: "\n  for no key update;", Wrong: ";"}},
			Package: "race", Test: "TestA1DoubleTap",
		},
		{
			Name: "lock of a user who does not exist", Function: "account._lock",
			Right: "if not found then", Wrong: "if false then",
			Package: "contract", Test: "TestRequestRefused",
		},
		{
			Name: "admin rights that nobody checks", Function: "account._require_admin",
			Right: "if v_is_active is not true then", Wrong: "if false then",
			Package: "race", Test: "TestD8FormerAdminApproves",
		},
		{
			Name: "admin rights of who never had any", Function: "account._require_admin",
			Right: "if v_is_active is not true then", Wrong: "if v_is_active is false then",
			Package: "contract", Test: "TestAdmins",
		},
		{
			Name: "admin rights without the share lock", Function: "account._require_admin", Right: "\n  for share;", Wrong: ";",
			Package: "race", Test: "TestD8FormerAdminApproves",
		},
		{
			Name: "register that binds a known user", Function: "account.register",
			Right:   "set username = p_username, is_reachable = true\n",
			Wrong:   "set username = p_username, is_reachable = true,\n        referrer_id = coalesce(a.referrer_id, v_referrer_id)\n",
			Package: "race", Test: "TestC4Rings",
		},
		{
			Name: "register that expects to be the only one", Function: "account.register",
			Right: "on conflict on constraint account_pkey do nothing;", Wrong: ";",
			Package: "race", Test: "TestT1SameUserRegistersAtOnce",
		},
	}
}
