package mutants

// payments are mutants of what a provider's money does.
func payments() []Mutant {
	return []Mutant{
		{
			Name: "charge that is booked as often as it comes", Function: "billing._settle",
			Right: "if not found then", Wrong: "if false then",
			Package: "race", Test: "TestE1DuplicateWebhook", Shrinks: true,
		},
		{
			Name: "charge id that is not unique", Function: "billing._settle",
			Right:   "on conflict on constraint charge_pkey do nothing;",
			Wrong:   ";",
			Without: "alter table billing.charge drop constraint charge_pkey",
			Package: "race", Test: "TestE1DuplicateWebhook",
		},
		{
			Name: "charge id that is looked up, not claimed", Function: "billing._settle",
			Right: "  values (p_provider, p_charge_id,\n" +
				"          case when v_money.problem is null then v_money.telegram_id else 0 end, v_payment_id)\n" +
				"  on conflict on constraint charge_pkey do nothing;",
			Wrong: "  select p_provider, p_charge_id,\n" +
				"         case when v_money.problem is null then v_money.telegram_id else 0 end, v_payment_id\n" +
				"  where not exists (select 1 from billing.charge c\n" +
				"                    where c.provider = p_provider and c.charge_id = p_charge_id);",
			Package: "race", Test: "TestE16ChargeClaimedByTwo",
		},
		{
			Name: "money without the payer's lock", Function: "billing._settle",
			Right: "v_is_blocked := account._lock(v_money.telegram_id);", Wrong: "v_is_blocked := false;",
			Package: "race", Test: "TestE1TwoChargesForOnePurchase",
		},
		{
			Name: "money in any currency", Function: "billing._identify_payment",
			Right:   " and p.currency = p_currency",
			Package: "contract", Test: "TestSuspense",
		},
		{
			Name: "money of who is no user", Function: "billing._identify_payment",
			Right: "  elsif not exists (select 1 from account.account a\n" +
				"                    where a.telegram_id = _identify_payment.telegram_id) then",
			Wrong:   "  elsif false then",
			Package: "contract", Test: "TestSuspense",
		},
		{
			Name: "stars at today's rate", Function: "billing._identify_payment",
			Right:   "floor(u.price_kopecks::numeric * p_amount_minor / i.amount_minor)",
			Wrong:   "ops._setting_value('star_kopecks') * p_amount_minor",
			Package: "contract", Test: "TestStarsAreWorthTheirShareOfTheInvoice",
		},
		{
			Name: "stars that round up", Function: "billing._identify_payment",
			Right: "floor(u.price_kopecks", Wrong: "ceil(u.price_kopecks",
			Package: "contract", Test: "TestStarsAreWorthTheirShareOfTheInvoice",
		},
		{
			Name: "too little money that buys", Function: "billing._apply_payment",
			Right:   "when p_worth_kopecks < v_purchase.price_kopecks - v_tolerance_kopecks",
			Wrong:   "when false",
			Package: "contract", Test: "TestE4UnderpaidThreeTimesBuysFromTheBalance",
		},
		{
			Name: "money that buys twice", Function: "billing._apply_payment",
			Right: "when v_purchase.status not in ('open', 'expired', 'cancelled') then 'already_paid'", Wrong: "",
			Package: "contract", Test: "TestWhatDoesNotBuyGoesToTheBalance",
		},
		{
			Name: "money of a blocked user that buys", Function: "billing._apply_payment",
			Right: "when p_is_blocked then 'blocked'", Wrong: "",
			Package: "contract", Test: "TestWhatDoesNotBuyGoesToTheBalance",
		},
		{
			Name: "surplus that is nobody's", Function: "billing._apply_payment",
			Right: "p_worth_kopecks - v_revenue_kopecks, v_why, p_now);", Wrong: "0, v_why, p_now);",
			Package: "race", Test: "TestE1DuplicateWebhook",
		},
		{
			Name: "manual payment as often as it is approved", Function: "billing.approve_manual",
			Right: "'manual:' || p_purchase_id;", Wrong: "'manual:' || gen_random_uuid();",
			Package: "race", Test: "TestE16ApproveManualByTwo",
		},
		{
			Name: "manual payment that answers another admin", Function: "billing.approve_manual",
			Right: "elsif v_first.admin_id <> p_admin_id::text then", Wrong: "elsif false then",
			Package: "race", Test: "TestE16ApproveManualByTwo",
		},
		{
			Name: "manual payment without the user's lock", Function: "billing.approve_manual",
			Right:   "perform account._lock(v_telegram_id);",
			Package: "race", Test: "TestE16ApproveManualByTwo",
		},
		{
			Name: "manual payment that is stable", Function: "billing.approve_manual",
			Right: " LANGUAGE plpgsql\n", Wrong: " LANGUAGE plpgsql\n STABLE",
			Package: "race", Test: "TestE16ApproveManualByTwo",
		},
		{
			Name: "invoice of any amount", Function: "billing.attach_invoice",
			Right:   "(p_amount_minor, p_currency) = (v_way.amount_minor, v_way.currency)",
			Wrong:   "true",
			Package: "contract", Test: "TestAttachInvoice",
		},
		{
			Name: "invoice of what is closed", Function: "billing.attach_invoice",
			Right: "elsif v_way.refusal is not null then", Wrong: "elsif false then",
			Package: "contract", Test: "TestAttachInvoice",
		},
		{
			Name: "invoice of two purchases", Function: "billing.attach_invoice",
			Right: "where n.provider = p_provider and n.invoice_id = p_invoice_id)", Wrong: "where false)",
			Package: "contract", Test: "TestAnInvoiceIsOfOnePurchase",
		},
	}
}

// takingBack are mutants of refunds, reversals and suspense.
func takingBack() []Mutant {
	return []Mutant{
		{
			Name: "refund without the user's lock", Function: "billing.refund_purchase",
			Right:   "perform account._lock(v_telegram_id);",
			Package: "race", Test: "TestRefundOnce",
		},
		{
			Name: "refund of what is not paid", Function: "billing._require_paid",
			Right: "elsif v_purchase.status <> 'paid' then", Wrong: "elsif false then",
			Package: "contract", Test: "TestOnlyPaidSubscriptionsAreRefunded",
		},
		{
			Name: "refund that answers another admin", Function: "billing.refund_purchase",
			Right: "\n    and r.actor_id = p_admin_id", Wrong: "",
			Package: "race", Test: "TestRefundOnce",
		},
		{
			Name: "refund that restores nothing", Function: "billing._take_back",
			Right: "if v_expires_at > p_now then", Wrong: "if false then",
			Package: "contract", Test: "TestRefundOfTheLatestRestoresTheStateBefore",
		},
		{
			Name: "refund that forgets the cashback", Function: "billing._take_back",
			Right: "a.referrer_id is not null and u.price_kopecks > 0", Wrong: "false",
			Package: "contract", Test: "TestClawBack", Shrinks: true,
		},
		{
			Name: "reversal as often as it comes", Function: "billing.reverse_payment",
			Right: "elsif v_outcome <> 'reversed' then", Wrong: "else",
			Package: "race", Test: "TestE1DuplicateReversal",
		},
		{
			Name: "reversal that leaves what was credited", Function: "billing._reverse",
			Right: "if v_paid.credited_kopecks > 0 then", Wrong: "if false then",
			Package: "contract", Test: "TestReversalOfEveryOutcome",
		},
		{
			Name: "reversal that does not look again", Function: "billing._lock_charge",
			Right: "if _lock_charge.telegram_id <> v_telegram_id then", Wrong: "if false then",
			Package: "contract", Test: "TestChargeThatMoves",
		},
		{
			Name: "reversal without the charge's lock", Function: "billing._lock_charge", Right: "\n  for no key update;", Wrong: ";",
			Package: "contract", Test: "TestChargeThatMoves",
		},
		{
			Name: "suspense that is given as often as it is asked for", Function: "billing.resolve_suspense",
			Right: "elsif v_payment.outcome <> 'suspense' then", Wrong: "elsif false then",
			Package: "race", Test: "TestE16SuspenseOfTwoAdmins",
		},
		{
			Name: "suspense without the charge's lock", Function: "billing._lock_suspense",
			Right: "\n  for no key update of c;", Wrong: ";",
			Package: "race", Test: "TestE16SuspenseOfTwoAdmins",
		},
		{
			Name: "suspense that gives more than came", Function: "billing.resolve_suspense",
			Right: "coalesce(v_payment.rub_kopecks, 1000000000000)\n", Wrong: "1000000000000\n",
			Package: "contract", Test: "TestResolveSuspense",
		},
	}
}
