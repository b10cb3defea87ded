package property_test

import (
	"pgregory.net/rapid"

	"atlas-secure/tests/property/model"
)

func init() {
	ask(1, "subscription.current", func(r *run) model.Args { return model.Args{"p_telegram_id": r.customer()} })
	ask(2, "subscription.start_trial", func(r *run) model.Args {
		return model.Args{"p_telegram_id": r.customer(), "p_idempotency_key": r.key()}
	})
	ask(2, "subscription.grant_time", func(r *run) model.Args {
		return model.Args{"p_admin_id": r.admin(), "p_telegram_id": r.customer(),
			"p_tariff":   rapid.SampledFrom([]string{"basic", "plus"}).Draw(r.rapid, "tariff"),
			"p_duration": rapid.SampledFrom([]string{"10m", "24h", "168h"}).Draw(r.rapid, "duration"),
			"p_reason":   "words", "p_idempotency_key": r.key()}
	})
	ask(1, "subscription.revoke", func(r *run) model.Args {
		return model.Args{"p_admin_id": r.admin(), "p_telegram_id": r.subscriber(), "p_reason": "words",
			"p_idempotency_key": r.key()}
	})
	ask(4, "subscription.set_auto_renew", func(r *run) model.Args {
		return model.Args{"p_telegram_id": r.subscriber(), "p_is_on": r.pick("on", 5) < 4}
	})
	ask(4, "subscription.renew_due", due)
	ask(3, "subscription.expire_due", due)
	ask(1, "vpn.reissue", func(r *run) model.Args {
		return model.Args{"p_telegram_id": r.subscriber(), "p_idempotency_key": r.key(),
			"p_admin_id": rapid.SampledFrom([]any{nil, boss, anna}).Draw(r.rapid, "by")}
	})
}
