package bot_test

import "atlas-secure/tests/contract/desk"

// What admins do to a user, from the user's card.
var (
	_ = talks("a_grant", talk{
		come: (*stage).admin,
		says: onCard("[a_grant]", "[a_grant_length]", "[a_grant_tariff]", "[a_grant_tell]", "[a_grant_yes]"),
		done: audited("subscription.grant_time"),
	})
	_ = talks("a_revoke", talk{
		come: (*stage).admin,
		says: onCard("[a_revoke]", "[a_revoke_tell]", "sorry", "[a_revoke_yes]"),
		done: audited("subscription.revoke"),
	})
	_ = talks("a_set_discount", talk{
		come: (*stage).admin,
		says: onCard("[a_discount]", "10", "[a_discount_for]", "[a_discount_yes]"),
		done: audited("account.set_discount"),
	})
	_ = talks("a_block", talk{
		come: (*stage).admin, says: onCard("[a_block]", "spam", "[a_block_yes]"), done: audited("account.block"),
	})
	_ = talks("a_unblock", talk{
		come: (*stage).adminOfBlocked, says: onCard("[a_unblock]", "a mistake", "[a_unblock_yes]"), done: audited("account.unblock"),
	})
	_ = talks("a_refund", talk{
		come: (*stage).admin,
		says: onCard("[a_purchases]", "[a_refund]", "it did not work", "[a_refund_yes]"),
		done: `select count(*)::int from billing.purchase where telegram_id = {customer} and status = 'refunded'`,
	})
	_ = talks("corporate", talk{
		come: (*stage).visitor,
		says: []string{"/buy", "[corp]", "[corp_ask]", "Horns & Hooves", "Ostap, +7 900 000-00-00", "[corp_yes]"},
		done: `select count(*)::int from account.corporate_request where telegram_id = {me}`,
	})
)

// onCard is what an admin says from the first word on, when the rest begins on the customer's card.
func onCard(rest ...string) []string {
	return append([]string{"/admin", "[a_users]", "{customer}"}, rest...)
}

// adminOfBlocked is an admin whose customer is blocked.
func (s *stage) adminOfBlocked(language string) {
	s.t.Helper()
	s.admin(language)
	s.desk.One("account.block", desk.A{"p_admin_id": adminID, "p_telegram_id": s.words["customer"], "p_reason": "walk"})
}
