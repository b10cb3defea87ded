package bot_test

// talk is a dialogue from its beginning to its end, and how to see that it has done its work.
type talk struct {
	come func(s *stage, language string) // who talks
	says []string                        // see talks
	done string                          // counts what the dialogue has done for the person {me}: 0 before, 1 after
	// isReading says that the dialogue changes nothing: done is not asked.
	isReading bool
}

// talked has a talk for each of the bot's dialogues.
var talked = map[string]talk{}

// talks declares how a dialogue is finished, by its kind's name: what the person writes ("/profile"), presses ("[withdraw]":
// the newest button with that verb) and types, one after the other, from the first word to the last press. Words in braces
// are the actor's (stage.words). Everything else (leaving, another bot at every step, nonsense at every question, two devices
// at once) follows from it; see dialogues_test.go.
func talks(kind string, t talk) bool {
	talked[kind] = t
	return true
}

var (
	_ = talks("topup", talk{
		come: (*stage).visitor,
		says: []string{"/profile", "[topup]", "[typed]", "500"},
		done: `select count(*)::int from billing.purchase where telegram_id = {me} and kind = 'topup'`,
	})
	_ = talks("promo", talk{
		come: (*stage).depositor,
		says: []string{"/profile", "[promo]", "WALK", "[promo_tariff]", "[promo_plan]"},
		done: `select count(*)::int from billing.purchase where telegram_id = {me} and discount_kind = 'promo'`,
	})
	_ = talks("withdraw", talk{
		come: (*stage).depositor,
		says: []string{"/profile", "[withdraw]", "[withdraw_ask]", "600", card, "[withdraw_ok]", "[withdraw_yes]"},
		done: `select count(*)::int from withdrawal.withdrawal where telegram_id = {me}`,
	})

	_ = talks("a_search", talk{
		come: (*stage).admin, says: []string{"/admin", "[a_users]", "{customer}"}, isReading: true,
	})
	_ = talks("a_credit", talk{
		come: (*stage).admin,
		says: []string{"/admin", "[a_users]", "{customer}", "[a_credit]", "100", "thanks", "[a_credit_yes]"},
		done: audited("ledger.admin_credit"),
	})
	_ = talks("a_debit", talk{
		come: (*stage).admin,
		says: []string{"/admin", "[a_users]", "{customer}", "[a_debit]", "100", "sorry", "[a_debit_yes]"},
		done: audited("ledger.admin_debit"),
	})
	_ = talks("admin_payout", talk{
		come: (*stage).admin,
		says: []string{"/admin", "[a_payouts]", "[a_payout]", "[a_payout_no]", "no such card", "[a_payout_rej]"},
		done: audited("withdrawal.reject"),
	})
	_ = talks("admin_incident", talk{
		come: (*stage).admin,
		says: []string{"/admin", "[a_incident]", "[a_incident_ask]", "Работаем над связью", "We mend the network", "[a_incident_yes]"},
		done: audited("ops.set_incident"),
	})
)

// audited counts what the actor has done, by the audit's name for it.
func audited(action string) string {
	return "select count(*)::int from audit.event where actor_id = {me} and action = '" + action + "'"
}
