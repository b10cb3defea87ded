package property_test

import (
	"time"

	"pgregory.net/rapid"

	"atlas-secure/tests/property/model"
)

func init() {
	ask(1, "account.block", blocking)
	ask(2, "account.unblock", blocking)
	ask(1, "account.set_vip", func(r *run) model.Args {
		return model.Args{"p_admin_id": r.admin(), "p_telegram_id": r.customer(), "p_is_vip": r.pick("vip", 2) == 0}
	})
	ask(1, "account.set_discount", func(r *run) model.Args {
		args := model.Args{"p_admin_id": r.admin(), "p_telegram_id": r.customer(), "p_expires_at": nil,
			"p_percent": rapid.SampledFrom([]int{0, 10, 30, 50, 99}).Draw(r.rapid, "percent")}
		if r.pick("ends", 3) > 0 {
			args["p_expires_at"] = r.world.Now.Add(time.Duration(r.pick("hours", 48)) * time.Hour)
		}
		return args
	})
	ask(5, "referral.pay_due", due)
	ask(1, "referral.stats", func(r *run) model.Args { return model.Args{"p_telegram_id": r.customer()} })
}

func blocking(r *run) model.Args {
	return model.Args{"p_admin_id": r.admin(), "p_telegram_id": r.customer(), "p_reason": "words"}
}
