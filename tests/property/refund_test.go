package property_test

import (
	"fmt"

	"pgregory.net/rapid"

	"atlas-secure/tests/property/model"
)

func init() {
	ask(4, "billing.refund_purchase", func(r *run) model.Args {
		_, ref, isThere := r.purchase(isPaid)
		if !isThere {
			return nil
		}
		return model.Args{"p_admin_id": r.admin(), "p_purchase_id": ref, "p_reason": "words"}
	})
	ask(3, "billing.reverse_payment", func(r *run) model.Args {
		provider := rapid.SampledFrom(providers).Draw(r.rapid, "provider")
		charge := r.charge()
		if n := len(r.world.Payments); n > 0 && !r.rarely() { // of a payment that came
			provider, charge = r.world.Payments[r.pick("payment", n)].Charge()
		}
		return model.Args{"p_provider": provider, "p_charge_id": charge, "p_amount_minor": 14900,
			"p_currency": "RUB", "p_raw": "{}"}
	})
	ask(3, "billing.resolve_suspense", func(r *run) model.Args {
		ref := model.Ref{Kind: "payment", Name: "none"}
		waiting := []model.Ref{}
		for _, p := range r.world.Payments {
			if p.Outcome == "suspense" || r.rarely() {
				waiting = append(waiting, p.Ref())
			}
		}
		if len(waiting) == 0 && !r.rarely() {
			return nil
		}
		if len(waiting) > 0 {
			ref = waiting[r.pick("payment", len(waiting))]
		}
		return model.Args{"p_admin_id": r.admin(), "p_payment_id": ref, "p_telegram_id": r.customer(), "p_note": "words",
			"p_amount_kopecks": rapid.SampledFrom([]any{nil, 1, 14900}).Draw(r.rapid, "amount")}
	})
	ask(2, "billing.approve_manual", func(r *run) model.Args {
		_, ref, isThere := r.purchase(isOpen)
		if !isThere {
			return nil
		}
		return model.Args{"p_admin_id": r.admin(), "p_purchase_id": ref, "p_amount_kopecks": r.amount(), "p_note": "words"}
	})
}

// charge draws a provider's charge id: few, so that one meets again.
func (r *run) charge() string {
	return fmt.Sprint("charge ", rapid.IntRange(0, len(r.world.Payments)+1).Draw(r.rapid, "charge"))
}
