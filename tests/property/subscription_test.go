package property_test

import (
	"time"

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
	deal(5, renewal)
	ask(3, "subscription.expire_due", due)
	ask(1, "vpn.reissue", func(r *run) model.Args {
		return model.Args{"p_telegram_id": r.subscriber(), "p_idempotency_key": r.key(),
			"p_admin_id": rapid.SampledFrom([]any{nil, boss, anna}).Draw(r.rapid, "by")}
	})
}

// renewal brings somebody who has a subscription to the end of it, with auto-renewal on.
func renewal(r *run) {
	list := []int{}
	for _, id := range []int{anna, bert, carl, dora} {
		if r.world.Users[id].Subscription != nil && r.world.Users[id].Subscription.Ends.After(r.world.Now) {
			list = append(list, id)
		}
	}
	if len(list) == 0 {
		return
	}
	id := list[r.pick("whose", len(list))]
	r.do(call{function: "subscription.set_auto_renew", args: model.Args{"p_telegram_id": id, "p_is_on": true}})
	r.do(call{until: r.world.Users[id].Subscription.Ends.Add(-time.Duration(1+r.pick("hours", 6)) * time.Hour)})
	r.do(call{function: "subscription.renew_due", args: due(r)})
}
