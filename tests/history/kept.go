package history

import "fmt"

// Kept demands that every acknowledged operation is in the database: its ledger rows, its purchase, its withdrawal, its
// charge. What a crash or a failover has lost is found here.
func Kept(ops []Op, s *Snapshot) []Violation {
	var violations []Violation
	effects, _ := s.effects(ops)
	names := s.naming()
	for i := range ops {
		op := &ops[i]
		if !op.IsAcknowledged() {
			continue
		}
		name := names(op)
		if effects["suspense of "+name] != nil && op.Function == "billing.settle_payment" {
			continue // told after an admin gave it to somebody: the rows are the admin's
		}
		if why := s.missing(op, effects[name]); why != "" {
			violations = append(violations, Violation{"kept", user(op.User), why + ": " + op.String()})
		}
	}
	return violations
}

func (s *Snapshot) missing(op *Op, e *effect) string {
	if op.wanted() && (e == nil || len(e.rows) == 0) {
		return "acknowledged, and no ledger row"
	}
	switch op.Function {
	case "billing.open_purchase", "billing.open_topup":
		found, ok := s.Purchases[op.text("purchase_id")]
		if !ok {
			return "acknowledged, and no such purchase"
		}
		if price, _ := op.number("price_kopecks"); found.Price != price || found.TelegramID != op.User || found.Key != op.Key {
			return fmt.Sprintf("the purchase is %+v", found)
		}
	case "billing.pay_from_balance":
		if found := s.Purchases[op.text("purchase_id")]; found.Status != "paid" && found.Status != "refunded" {
			return fmt.Sprintf("acknowledged, and the purchase is %q", found.Status)
		}
	case "billing.settle_payment", "billing.approve_manual", "billing.reverse_payment":
		charge, _ := op.charge()
		id, _ := op.number("payment_id")
		if ids := s.Charges[charge]; len(ids) != 1 || ids[0] != id {
			return fmt.Sprintf("the charge has payments %v", ids)
		}
	}
	return ""
}
