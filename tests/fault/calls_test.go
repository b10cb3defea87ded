package fault_test

import (
	"context"
	"time"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

const (
	boss = desk.Boss
	anna = desk.Anna
	bert = desk.Bert
)

// tried is what one call without repeats gave.
type tried struct {
	code string
	took time.Duration
}

// debit takes 100 kopecks by the bot's login.
func (b *bundle) debit(user int) tried {
	b.Helper()
	began := time.Now()
	_, err := history.Call(context.Background(), b.bots, "wallet.debit", creditArgs(user, 100, "debit"))
	return tried{desk.Code(err), time.Since(began)}
}

func creditArgs(user, kopecks int, key string) history.Args {
	return history.Args{"p_telegram_id": user, "p_amount_kopecks": kopecks, "p_admin_id": boss, "p_note": "n",
		"p_idempotency_key": key}
}

// do is an operation by the bot's login, repeated until it is definite, of a record that nobody keeps.
func (b *bundle) do(op history.Op) (history.Op, []map[string]any) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return load.Do(ctx, b.bots, history.New(op.User, op.User, b.seed), op)
}
