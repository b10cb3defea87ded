package bot_test

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// What admins do about payments, purchases, promo codes and referrals.
var (
	_ = talks("admin_assign", talk{
		come: (*stage).adminOfLost,
		says: []string{"/admin", "[a_sus]", "[a_sus_one]", "[a_sus_give]", "{customer}", "[a_sus_whole]", "seen", "[a_sus_yes]"},
		done: `select count(*)::int from billing.payment where resolved_by = {me}`,
	})
	_ = talks("admin_purchase", talk{
		come: (*stage).admin, says: []string{"/admin", "[a_manual]", "{magnate}", "[a_pu]"}, isReading: true,
	})
	_ = talks("admin_manual", talk{
		come: (*stage).admin,
		says: []string{"/admin", "[a_manual]", "{magnate}", "[a_pu]", "[a_pu_paid]", "[a_pu_whole]", "seen", "[a_pu_yes]"},
		done: audited("billing.approve_manual"),
	})
	_ = talks("admin_refund", talk{
		come: (*stage).adminOfBought,
		says: []string{"/admin", "[a_manual]", "{bought}", "[a_pu_back]", "sorry", "[a_pu_back_yes]"},
		done: audited("billing.refund_purchase"),
	})
	_ = talks("admin_promo_find", talk{
		come: (*stage).admin, says: []string{"/admin", "[a_promos]", "[a_promo_find]", "WALK"}, isReading: true,
	})
	_ = talks("admin_promo_limit", talk{
		come: (*stage).adminOfPromo,
		says: []string{"/admin", "[a_promos]", "[a_promo]", "[a_promo_limit]", "500", "[a_promo_limit_yes]"},
		done: audited("promo.set_limit"),
	})
	_ = talks("admin_promo_new", talk{
		come: (*stage).admin,
		says: []string{
			"/admin", "[a_promos]", "[a_promo_new]", "FRESH{me}", "20", "[a_promo_answer]", "7", "10", "[a_promo_answer]", "[a_promo_yes]",
		},
		done: audited("promo.issue"),
	})
	_ = talks("admin_referral_search", talk{
		come: (*stage).admin, says: []string{"/admin", "[a_refs]", "[a_refs_find]", "{customer}"}, isReading: true,
	})
)

// What admins write to many.
var (
	_ = talks("broadcast", talk{
		come: (*stage).admin,
		says: []string{
			"/admin", "[a_bc]", "[a_broadcast_new]", "Maintenance tonight", "[a_bc_kind]", "[a_bc_ab]", "<b>The text</b>", "[a_bc_seg]",
			"[a_bc_card]", "[a_bc_when]", "23:59", "[a_bc_go]",
		},
		done: audited("broadcast.start"),
	})
	_ = talks("broadcast_offer", talk{
		come: (*stage).admin,
		says: []string{"/admin", "[a_bc]", "[a_bc_new_offer]", "Come back", "[a_bc_offer]", "[a_bc_card]", "[a_bc_when]", "[a_bc_in]", "[a_bc_go]"},
		done: audited("broadcast.start"),
	})
)

// adminOfLost is an admin with money in suspense that no admin before has given to anybody.
func (s *stage) adminOfLost(language string) {
	s.t.Helper()
	s.admin(language)
	s.desk.Settle(fmt.Sprint("lost:", s.me.ID), nil, 500_00)
}

// adminOfBought is an admin whose customer has bought the purchase {bought}.
func (s *stage) adminOfBought(language string) {
	s.t.Helper()
	s.admin(language)
	var id string
	require.NoError(s.t, s.db.Owner.QueryRow(s.ctx, `select purchase_id::text from billing.purchase
		where telegram_id::text = $1 and kind = 'subscription' and status = 'paid'`, s.words["customer"]).Scan(&id))
	s.words["bought"] = id
}

// adminOfPromo is an admin with a promo code whose limit nobody has changed.
func (s *stage) adminOfPromo(language string) {
	s.t.Helper()
	s.admin(language)
	s.desk.One("promo.issue", desk.A{"p_admin_id": adminID, "p_code": fmt.Sprint("OWN", s.me.ID), "p_discount_percent": 20,
		"p_max_uses": nil, "p_per_user_limit": nil, "p_expires_at": nil, "p_idempotency_key": fmt.Sprint("own:", s.me.ID)})
}
