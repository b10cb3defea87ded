package mutants

const (
	lockPayer = "v_is_blocked := account._lock(p_telegram_id);"
	readClock = "v_now := core.now();"
)

// purchases are mutants of opening, paying, cancelling and expiring.
func purchases() []Mutant {
	return []Mutant{
		{
			Name: "opening whose key is not looked up", Function: "billing._find_opened",
			Right: "if not found then", Wrong: "if true then",
			Package: "contract", Test: "TestOpenPurchase",
		},
		{
			Name: "opening whose key is kept nowhere", Function: "billing._find_opened",
			Right: "if not found then", Wrong: "if true then",
			Without: "drop index billing.purchase_key_once",
			Package: "race", Test: "TestA1DoubleOpen",
		},
		{
			Name: "opening whose key fits any arguments", Function: "billing._find_opened",
			Right:   "is distinct from (p_tariff, p_months::smallint, p_promo_code)",
			Wrong:   "is distinct from (v_first.tariff, v_first.months, v_first.promo_code)",
			Package: "contract", Test: "TestOpenPurchase",
		},
		{
			Name: "opening without the user's lock", Function: "billing.open_purchase", Right: lockPayer,
			Wrong:   "v_is_blocked := false;",
			Package: "race", Test: "TestA1SecondTapWaitsForTheFirst",
		},
		{
			Name: "price that rounds down", Function: "billing._price", Right: "+ 50) / 100", Wrong: ") / 100",
			Package: "contract", Test: "TestPrice",
		},
		{
			Name: "discounts that stack", Function: "billing._price",
			Right:   "discount_percent := v_promo.discount_percent;",
			Wrong:   "discount_percent := least(100, discount_percent + v_promo.discount_percent);",
			Package: "contract", Test: "TestPromoPrice",
		},
		{
			Name: "payment without the user's lock", Function: "billing.pay_from_balance", Right: lockPayer,
			Wrong:   "v_is_blocked := false;",
			Package: "race", Test: "TestA1SecondTapWaitsForTheFirst",
		},
		{
			Name: "payment that looks before it locks", Function: "billing.pay_from_balance", Right: lockPayer,
			More: []Edit{{
				Right: "  pay_from_balance.purchase_id := p_purchase_id;",
				Wrong: "  " + lockPayer + "\n  pay_from_balance.purchase_id := p_purchase_id;",
			}},
			Package: "race", Test: "TestA1SecondTapWaitsForTheFirst",
		},
		{
			Name: "payment above the balance", Function: "billing.pay_from_balance",
			Right:   " and w.available_kopecks >= v_price_kopecks",
			Package: "race", Test: "TestA2MoneyForOne",
		},
		{
			Name: "payment into the red", Function: "billing.pay_from_balance",
			Right:   " and w.available_kopecks >= v_price_kopecks",
			Without: mayBeNegative,
			Package: "race", Test: "TestA2MoneyForOne",
		},
		{
			Name: "payment that does not count its version", Function: "billing.pay_from_balance",
			Right: "version = w.version + 1", Wrong: "version = w.version",
			Package: "race", Test: "TestA1DoubleTap",
		},
		{
			Name: "payment that reads the clock before it locks", Function: "billing.pay_from_balance",
			Right: lockPayer + "\n  " + readClock, Wrong: readClock + "\n  " + lockPayer,
			Package: "race", Test: "TestA6ExpiryWhileWaitingForTheLock",
		},
		{
			Name: "payment at the transaction's beginning", Function: "billing.pay_from_balance",
			Right: readClock, Wrong: "v_now := now();",
			Package: "race", Test: "TestA6ExpiryWhileWaitingForTheLock",
		},
		{
			Name: "payment that forgets its answer", Function: "billing.pay_from_balance",
			Right:   "coalesce(v_paid_with in ('balance', 'free'), false)",
			Wrong:   "false",
			Package: "race", Test: "TestA1DoubleTap",
		},
		{
			Name: "payment of what is closed", Function: "billing.pay_from_balance", Right: "or v_status <> 'open' ", Wrong: "",
			Package: "contract", Test: "TestPayRefusals",
		},
		{
			Name: "payment of what has expired", Function: "billing.pay_from_balance", Right: "or v_expires_at <= v_now", Wrong: "",
			Package: "contract", Test: "TestPayRefusals",
		},
		{
			Name: "payment of what is not there", Function: "billing.pay_from_balance",
			Right: "if not found then\n    perform core._refuse('PU001'", Wrong: "if false then\n    perform core._refuse('PU001'",
			Package: "contract", Test: "TestPayRefusals",
		},
		{
			Name: "period that begins today", Function: "billing._fulfil",
			Right:   "v_starts_at := subscription._start_after(\n    p_now, p_tariff, v_before_tariff, v_before_expires_at, v_before_period);",
			Wrong:   "v_starts_at := p_now;",
			Package: "contract", Test: "TestRenewingExtends",
		},
		{
			Name: "cashback of a free purchase", Function: "billing._fulfil",
			Right: " and (t.kind <> 'cashback' or p_price_kopecks > 0);", Wrong: ";",
			Package: "contract", Test: "TestCashbackIsNotForNothing",
		},
		{
			Name: "purchase without its provisioning job", Function: "billing._fulfil",
			Right: "where t.telegram_id is not null and", Wrong: "where t.telegram_id is not null and t.kind <> 'provision' and",
			Package: "race", Test: "TestA1DoubleTap",
		},
		{
			Name: "cancelling what is paid", Function: "billing.cancel_purchase",
			Right: "and u.status = 'open'", Wrong: "",
			More:    []Edit{{Right: "elsif v_status not in ('open', 'cancelled') then", Wrong: "elsif false then"}},
			Package: "contract", Test: "TestCancelPurchase",
		},
		{
			Name: "cancelling that keeps the promo use", Function: "billing.cancel_purchase",
			Right: "if found and v_promo_id is not null then", Wrong: "if false then",
			Package: "contract", Test: "TestUseIsGivenBack",
		},
		{
			Name: "cancelling without the user's lock", Function: "billing.cancel_purchase", Right: lockUser,
			Package: "race", Test: "TestA4CancelAgainstPayment",
		},
		{
			Name: "sweeper that waits for the busy", Function: "billing.expire_due",
			Right: "for no key update skip locked", Wrong: "for no key update",
			Package: "race", Test: "TestE3SweeperPassesABusyUser",
		},
		{
			Name: "sweeper without locks", Function: "billing.expire_due",
			Right:   "for no key update skip locked",
			Package: "race", Test: "TestE3SweeperPassesABusyUser",
		},
		{
			Name: "sweeper that swallows every error", Function: "billing.expire_due",
			Right: "v_expired := billing._expire(v_users, v_now);\n  exception when data_exception or integrity_constraint_violation then",
			Wrong: "v_expired := billing._expire(v_users, v_now);\n  exception when others then",
			More: []Edit{{
				Right: "array[v_user], v_now);\n      exception when data_exception or integrity_constraint_violation then",
				Wrong: "array[v_user], v_now);\n      exception when others then",
			}},
			Package: "contract", Test: "TestOtherErrorsStopTheBatch",
		},
		{
			Name: "sweeper that keeps the promo use", Function: "billing._expire", Right: "where d.is_expired and", Wrong: "where false and",
			Package: "contract", Test: "TestExpiryGivesManyUsesBack",
		},
		{
			Name: "sweeper that closes what is paid", Function: "billing._expire",
			Right: "case u.status when 'open' then 'expired' else u.status end", Wrong: "'expired'",
			Package: "race", Test: "TestE3PaidWhileExpiring",
		},
	}
}
