package fault_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

const (
	hotUsers   = 1000
	hotClients = 64
	hotFirst   = 200_001
)

// TestA11HotRevenue lets 64 clients buy for a thousand users: every purchase credits the shop's revenue, and no two of
// them may wait for that. What is bought for nothing, with a code, credits none: the ratio of the two is printed. It says
// nothing on a busy machine and is no criterion.
func TestA11HotRevenue(t *testing.T) {
	b := setup(t)
	b.Shop()
	h := history.New(hotFirst, hotFirst+hotUsers-1, b.seed)
	b.crowdOfRich(h)
	b.One("promo.issue", desk.A{"p_admin_id": boss, "p_code": "GRATIS", "p_discount_percent": 100, "p_max_uses": nil,
		"p_per_user_limit": 1000, "p_expires_at": nil, "p_idempotency_key": "k"})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	before, err := history.Deadlocks(ctx, b.Owner)
	require.NoError(t, err)
	watcher := history.Watch(ctx, b.Owner)
	purchases := 300 * load.Factor(t)
	paid := b.buyAll(ctx, h, "paid", nil, purchases)
	free := b.buyAll(ctx, h, "free", "GRATIS", purchases/2)
	looks, wrong := watcher.Stop()
	after, err := history.Deadlocks(ctx, b.Owner)
	require.NoError(t, err)
	t.Logf("%.0f purchases/s that all credit revenue, %.0f/s that do not: %.2f of it; %d snapshots", paid, free, paid/free, looks)
	for _, op := range h.Ops() {
		require.Empty(t, op.Code, "%s", op.String())
		require.NotContains(t, op.Retried, "40P01", "%s", op.String())
	}
	b.judge(h, append(wrong, history.SameDeadlocks(before, after)...)...)
}

// crowdOfRich registers users and gives them money, all in two statements, and writes the credits down.
func (b *bundle) crowdOfRich(h *history.History) {
	b.Helper()
	b.Query(`select count(*) from generate_series($1::bigint, $2::bigint) g, lateral account.register(p_telegram_id => g,
		p_username => null, p_language => 'en', p_start_payload => null)`, h.First, h.Last)
	for _, row := range b.Query(`select g::bigint as id, c.* from generate_series($1::bigint, $2::bigint) g, lateral wallet.credit(
		p_telegram_id => g, p_amount_kopecks => 1000000, p_admin_id => 1, p_note => 'n', p_idempotency_key => 'rich') c`,
		h.First, h.Last) {
		user := row["id"].(int)
		args := creditArgs(user, 1_000_000, "rich")
		delete(row, "id")
		h.Add(history.Op{User: int64(user), Function: "wallet.credit", Key: "rich", Amount: 1_000_000, Args: args, Answer: row})
	}
}

// buyAll makes purchases for users in turn, by all clients at once, and gives how many were made in a second.
func (b *bundle) buyAll(ctx context.Context, h *history.History, name string, code any, purchases int) float64 {
	b.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for client := range hotClients {
		all.Go(func() {
			for i := client; i < purchases; i += hotClients {
				user, key := int64(hotFirst+i%hotUsers), fmt.Sprint(name, "-", i)
				op, _ := load.Do(ctx, b.bots, h, history.Op{Client: client, User: user, Function: "billing.open_purchase", Key: key,
					Args: desk.Choice(int(user), "basic", 1, key).With("p_promo_code", code)})
				id, ok := op.Answer["purchase_id"].(string)
				if !ok {
					continue // its code is in the record
				}
				load.Do(ctx, b.bots, h, history.Op{Client: client, User: user, Function: "billing.pay_from_balance", Key: id,
					Amount: int64(op.Answer["price_kopecks"].(int)), Args: desk.Mine(int(user), id)})
			}
		})
	}
	all.Wait()
	return float64(purchases) / time.Since(began).Seconds()
}
