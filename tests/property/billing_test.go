package property_test

import (
	"fmt"

	"pgregory.net/rapid"

	"atlas-secure/tests/property/model"
)

func init() {
	ask(8, "billing.open_purchase", func(r *run) model.Args {
		args := choice(r)
		args["p_idempotency_key"] = r.key()
		return args
	})
	ask(1, "billing.quote", choice)
	ask(2, "billing.open_topup", func(r *run) model.Args {
		return model.Args{"p_telegram_id": r.customer(), "p_amount_kopecks": r.amount(), "p_idempotency_key": r.key()}
	})
	ask(8, "billing.pay_from_balance", func(r *run) model.Args {
		owner, ref, isThere := r.purchase(func(p *model.Purchase) bool {
			return isOpen(p) && p.Price <= r.world.Users[p.Owner].Available
		})
		if !isThere {
			return nil
		}
		return model.Args{"p_telegram_id": owner, "p_purchase_id": ref}
	})
	ask(1, "billing.pay_from_balance", mine)
	ask(2, "billing.cancel_purchase", mine)
	ask(3, "billing.expire_due", due)
	ask(2, "billing.attach_invoice", func(r *run) model.Args {
		_, ref, isThere := r.purchase(isOpen)
		if !isThere {
			return nil
		}
		provider := rapid.SampledFrom(providers).Draw(r.rapid, "provider")
		amount := 14900
		if p := r.world.Purchase(ref); p != nil {
			amount = p.Asks(provider)
		}
		return model.Args{"p_purchase_id": ref, "p_provider": provider, "p_amount_minor": max(amount, 1),
			"p_currency": model.Currency(provider), "p_invoice_id": fmt.Sprint("invoice ", r.pick("invoice", 3))}
	})
	ask(1, "billing.precheck", func(r *run) model.Args {
		args := mine(r)
		if args == nil {
			return nil
		}
		args["p_amount_minor"] = rapid.SampledFrom([]int{14900, 88, 29900, 176}).Draw(r.rapid, "amount")
		args["p_currency"] = rapid.SampledFrom([]string{"RUB", "XTR"}).Draw(r.rapid, "currency")
		return args
	})
	ask(8, "billing.settle_payment", settle)
}

var providers = []string{"cryptobot", "telegram", "cryptobot", "stars", "telegram", "stars", "manual"}

func due(*run) model.Args { return model.Args{"p_epoch": nil, "p_limit": 1000} }

func choice(r *run) model.Args {
	args := model.Args{"p_telegram_id": r.customer(), "p_promo_code": nil,
		"p_tariff": rapid.SampledFrom([]string{"basic", "plus"}).Draw(r.rapid, "tariff"),
		"p_months": rapid.SampledFrom([]int{1, 3, 12}).Draw(r.rapid, "months")}
	if r.rarely() {
		args["p_months"] = 2
	}
	if toss(r.rapid, 1) == 1 {
		args["p_promo_code"] = r.known()
	}
	return args
}

// settle brings money: what a purchase costs, or nearly; from its owner, from somebody else, from nobody.
func settle(r *run) model.Args {
	owner, ref, isThere := r.purchase(isAny)
	if !isThere {
		return nil
	}
	provider := rapid.SampledFrom(providers).Draw(r.rapid, "provider")
	amount := 14900
	if p := r.world.Purchase(ref); p != nil {
		amount = p.Asks(provider)
	}
	amount += rapid.SampledFrom([]int{0, 0, 0, 0, -100, -101, 5000, -5000}).Draw(r.rapid, "more")
	args := model.Args{"p_provider": provider, "p_charge_id": r.charge(), "p_purchase_id": ref,
		"p_payer_id":     rapid.SampledFrom([]any{nil, owner, nil, owner, nil, owner, bert, 999}).Draw(r.rapid, "payer"),
		"p_amount_minor": max(amount, 1), "p_currency": model.Currency(provider), "p_raw": "{}"}
	if r.rarely() {
		args["p_currency"] = "EUR"
	}
	return args
}
