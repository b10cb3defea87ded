package property_test

import (
	"time"

	"pgregory.net/rapid"

	"atlas-secure/tests/property/model"
)

func init() {
	ask(4, "promo.issue", func(r *run) model.Args {
		args := model.Args{"p_admin_id": r.admin(), "p_code": r.code(),
			"p_discount_percent": rapid.SampledFrom([]int{10, 30, 50, 100}).Draw(r.rapid, "percent"),
			"p_max_uses":         rapid.SampledFrom([]any{1, 2, nil}).Draw(r.rapid, "max"),
			"p_per_user_limit":   rapid.SampledFrom([]any{1, 1, 2, nil}).Draw(r.rapid, "per user"),
			"p_expires_at":       nil, "p_idempotency_key": r.key()}
		if r.pick("ends", 4) == 3 {
			args["p_expires_at"] = r.world.Now.Add(time.Hour)
		}
		return args
	})
	ask(1, "promo.disable", func(r *run) model.Args {
		return known(r, model.Args{"p_admin_id": r.admin()})
	})
	ask(1, "promo.set_limit", func(r *run) model.Args {
		return known(r, model.Args{"p_admin_id": r.admin(), "p_max_uses": rapid.SampledFrom([]any{1, 2, 3, nil}).Draw(r.rapid, "max")})
	})
	ask(1, "promo.validate", func(r *run) model.Args {
		return known(r, model.Args{"p_telegram_id": r.customer()})
	})
}

// code draws what an admin types: few codes, so that one meets again; null for a generated one.
func (r *run) code() any {
	if r.rarely() {
		return "ok"
	}
	return rapid.SampledFrom([]any{"SPRING", "AUTUMN", nil, " spring"}).Draw(r.rapid, "code")
}

// known adds a code; nil where there is none.
func known(r *run, args model.Args) model.Args {
	if args["p_code"] = r.known(); args["p_code"] == nil {
		return nil
	}
	return args
}

// known draws a code that was issued, more often a late one, or what somebody mistypes.
func (r *run) known() any {
	n := len(r.world.Codes)
	if n == 0 && !r.rarely() {
		return nil
	}
	if n == 0 || r.rarely() {
		return rapid.SampledFrom([]any{"WINTER", "autumn ", "no"}).Draw(r.rapid, "typed")
	}
	return r.world.Codes[n-1-r.pick("code", min(n, 3))].Ref()
}
