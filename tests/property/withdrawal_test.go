package property_test

import (
	"pgregory.net/rapid"

	"atlas-secure/tests/property/model"
)

func init() {
	ask(4, "withdrawal.request", ofMoney)
	ask(2, "withdrawal.draft", ofMoney)
	ask(2, "withdrawal.submit", func(r *run) model.Args {
		n := len(r.world.Drafts)
		if n == 0 {
			return nil
		}
		d := r.world.Drafts[n-1-r.pick("back", min(n, 3))]
		return model.Args{"p_telegram_id": d.Owner, "p_draft_id": d.Ref()}
	})
	deal(2, func(r *run) { // the whole dialogue
		if args := ofMoney(r); r.world.Users[args["p_telegram_id"].(int)].Available >= 50000 {
			r.do(call{function: "withdrawal.draft", args: args})
			if n := len(r.world.Drafts); n > 0 {
				d := r.world.Drafts[n-1]
				r.do(call{function: "withdrawal.submit", args: model.Args{"p_telegram_id": d.Owner, "p_draft_id": d.Ref()}})
			}
		}
	})
	ask(4, "withdrawal.approve", func(r *run) model.Args {
		_, ref, isThere := r.withdrawal()
		if !isThere {
			return nil
		}
		return model.Args{"p_admin_id": r.admin(), "p_withdrawal_id": ref}
	})
	ask(2, "withdrawal.reject", func(r *run) model.Args {
		_, ref, isThere := r.withdrawal()
		if !isThere {
			return nil
		}
		return model.Args{"p_admin_id": r.admin(), "p_withdrawal_id": ref, "p_reason": "words"}
	})
	ask(2, "withdrawal.cancel", func(r *run) model.Args {
		owner, ref, isThere := r.withdrawal()
		if !isThere {
			return nil
		}
		return model.Args{"p_telegram_id": owner, "p_withdrawal_id": ref}
	})
}

func ofMoney(r *run) model.Args {
	id := r.richest()
	amount := rapid.SampledFrom([]int{50000, 100000, 5000000, 14900}).Draw(r.rapid, "amount")
	if amount > r.world.Users[id].Available && !r.rarely() {
		amount = 50000
	} else if r.world.Users[id].Available >= 5000000 && toss(r.rapid, 1) == 1 {
		amount = 5000000
	}
	return model.Args{"p_telegram_id": id, "p_idempotency_key": r.key(), "p_requisites": "v1:c2VhbGVk",
		"p_amount_kopecks": amount}
}

// richest is who has most, and now and then anybody: the others would be declined.
func (r *run) richest() int {
	if toss(r.rapid, 2) == 3 {
		return rapid.SampledFrom([]int{boss, anna, bert, carl, dora}).Draw(r.rapid, "user")
	}
	best := anna
	for _, id := range []int{boss, bert, carl, dora} {
		if r.world.Users[id].Available > r.world.Users[best].Available {
			best = id
		}
	}
	return best
}

// withdrawal draws one, more often a late one, with its owner.
func (r *run) withdrawal() (int, model.Ref, bool) {
	n := len(r.world.Withdrawals)
	if n == 0 {
		return anna, model.Ref{Kind: "withdrawal"}, r.rarely()
	}
	d := r.world.Withdrawals[n-1-r.pick("back", min(n, 3))]
	return d.Owner, d.Ref(), true
}
