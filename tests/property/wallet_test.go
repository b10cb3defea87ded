package property_test

import (
	"time"

	"pgregory.net/rapid"

	"atlas-secure/tests/property/model"
)

func init() {
	ask(5, "wallet.credit", adjust)
	ask(3, "wallet.debit", adjust)
	ask(1, "wallet.balance", func(r *run) model.Args { return model.Args{"p_telegram_id": r.customer()} })
	ask(1, "wallet.balance_at", func(r *run) model.Args {
		back := rapid.SampledFrom([]time.Duration{0, step, 5 * step, time.Hour, 24 * time.Hour}).Draw(r.rapid, "back")
		return model.Args{"p_telegram_id": r.customer(), "p_at": r.world.Now.Add(-back)}
	})
}

func adjust(r *run) model.Args {
	return model.Args{"p_telegram_id": r.customer(), "p_amount_kopecks": r.amount(), "p_admin_id": r.admin(),
		"p_note": "note", "p_idempotency_key": r.key()}
}
