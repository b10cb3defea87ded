package mutants

func promo() []Mutant {
	return []Mutant{
		{
			Name: "promo code without its limit", Function: "promo._take",
			Right:   "v_use_no := nextval('promo.use_no') % v_max_uses + 1;",
			Wrong:   "v_use_no := nextval('promo.use_no');",
			Package: "race", Test: "TestB1LastUse", Shrinks: true,
		},
		{
			Name: "promo code whose uses are counted", Function: "promo._take",
			Right: "    if v_max_uses is null then",
			Wrong: "    if (select count(*) from promo.use u where u.promo_id = p_promo_id) >= v_max_uses then\n" +
				"      return 'PR003';\n    end if;\n    if true then",
			Package: "race", Test: "TestB4UseOfARolledBackPurchase",
		},
		{
			Name: "promo code without a user's limit", Function: "promo._take",
			Right: "if v_uses >= v_per_user_limit then", Wrong: "if false then",
			Package: "race", Test: "TestB3PerUserLimit",
		},
		{
			Name: "promo use that is not there", Function: "promo._take", Right: "exit when found;", Wrong: "exit;",
			Package: "race", Test: "TestB1LastUse",
		},
		{
			Name: "promo code that is used up and does not refuse", Function: "promo._reserve",
			Right: "elsif v_refusal is not null then", Wrong: "elsif false then",
			Package: "race", Test: "TestB1LastUse",
		},
		{
			Name: "late payment that needs no use", Function: "promo._retake",
			Right:   "return promo._take(p_telegram_id, p_purchase_id, p_promo_id, p_now) is null;",
			Wrong:   "perform promo._take(p_telegram_id, p_purchase_id, p_promo_id, p_now);\n  return true;",
			Package: "race", Test: "TestB5MoneyComesAfterTheLastUseWasTaken",
		},
		{
			Name: "promo limit below what is taken", Function: "promo.set_limit",
			Right: "if v_uses > p_max_uses then", Wrong: "if false then",
			Package: "race", Test: "TestB7AdminWaitsForReservationsInFlight",
		},
		{
			Name: "promo terms that wait for no reservation", Function: "promo._lock_code",
			Right:   "lock table promo.use in share row exclusive mode;",
			Package: "race", Test: "TestB7AdminWaitsForReservationsInFlight",
		},
		{
			Name: "opening by promo terms that change", Function: "billing._open",
			Right: "lock table promo.use in row exclusive mode;", Wrong: "null;",
			Package: "race", Test: "TestB7AdminWaitsForReservationsInFlight",
		},
	}
}
