package race_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func TestB4DeclinedPaymentGivesTheUseBack(t *testing.T) { declinedPayment(setup(t)) }

// declinedPayment: the last use is reserved, the provider declines, and the payer gives up or lets the time pass while
// another buyer tries again and again.
func declinedPayment(b *bundle) {
	b.issue("LAST", 1, 1)
	for name, giveUp := range map[string][]call{
		"cancelled": times(5, b.bots, "billing.cancel_purchase", A{}),
		"expired":   times(5, b.workers, "billing.expire_due", A{"p_epoch": nil, "p_limit": 5}),
	} {
		payer, second := b.buyers(2)[0], b.buyers(2)[1]
		id := b.One("billing.open_purchase", with(payer, "LAST", name))["purchase_id"]
		b.Refused("PR003", "billing.open_purchase", with(second, "LAST", name))
		if name == "cancelled" {
			for i := range giveUp {
				giveUp[i].args = desk.Mine(payer, id)
			}
		} else {
			b.owner.Later("30 minutes")
		}
		rivals := slices.Concat(giveUp, times(5, b.bots, "billing.open_purchase", with(second, "LAST", name)))
		for _, a := range b.rush(rivals...) {
			require.Contains(b, []string{"", "PR003"}, a.code())
		}
		got := b.One("billing.open_purchase", with(second, "LAST", name))["purchase_id"]
		require.Equal(b, got, b.owner.Value("select purchase_id from promo.use"), "one use, the second buyer's")
		b.Refused("PR003", "promo.validate", A{"p_telegram_id": payer, "p_code": "LAST"})
		b.One("billing.cancel_purchase", desk.Mine(second, got))
		require.Equal(b, 1, b.One("promo.validate", A{"p_telegram_id": payer, "p_code": "LAST"})["uses_left"], "never more, never less")
		b.owner.Later("0 minutes")
	}
}

func TestB5EitherOrder(t *testing.T) { eitherOrder(setup(t)) }

// eitherOrder holds the sweeper up behind the money, and the money behind the sweeper, a millisecond from the end.
func eitherOrder(b *bundle) {
	b.issue("LAST", 1, 1)
	ctx := context.Background()
	reserve := func(key string) (string, time.Time) {
		row := b.One("billing.open_purchase", with(bert, "LAST", key))
		return row["purchase_id"].(string), row["expires_at"].(time.Time)
	}
	sweep := A{"p_epoch": nil, "p_limit": 5}

	id, end := reserve("money first")
	b.owner.At(end.Add(-time.Millisecond))
	tx, err := b.bots[0].Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(ctx) }()
	require.Equal(b, "applied", b.On(b, tx).Settle("1", id, discounted)["outcome"])
	b.owner.At(end)
	require.Equal(b, Row{"expired": 0}, b.On(b, b.workers[0]).One("billing.expire_due", sweep))
	require.NoError(b, tx.Commit(ctx))
	require.Equal(b, Row{"expired": 0}, b.On(b, b.workers[0]).One("billing.expire_due", sweep))
	require.Equal(b, 1, b.count("promo.use where purchase_id = $1", id))
	b.One("billing.refund_purchase", refund(boss, id)) // no use comes back
	b.Refused("PR005", "billing.open_purchase", with(bert, "LAST", "more"))

	b.issue("NEXT", 1, 1)
	row := b.One("billing.open_purchase", with(bert, "NEXT", "sweeper first"))
	id, end = row["purchase_id"].(string), row["expires_at"].(time.Time)
	b.owner.At(end)
	settled := b.locked(b.workers[0],
		func(d *desk.Desk) { require.Equal(b, Row{"expired": 1}, d.One("billing.expire_due", sweep)) },
		call{b.bots[0], "billing.settle_payment", settle("2", id, nil, discounted)}, func() {})
	require.NoError(b, settled.err)
	require.Equal(b, "applied", settled.rows[0]["outcome"], "the use is taken again")
	require.Equal(b, 1, b.count("promo.use where purchase_id = $1", id))
	require.Equal(b, 2, b.count("billing.payment"))
}

func TestB9CodesThatHashToTheOtherBuyer(t *testing.T) { collidingKeys(setup(t)) }

// collidingKeys: in one space of keys for users and codes each buyer's code would be the other buyer. Both hold what they
// have, and neither waits.
func collidingKeys(b *bundle) {
	codes := []string{"P3241", "P3886"}
	for _, hash := range []string{"abs(hashtext($1)::bigint)", "hashtextextended($1, 0) & 4503599627370495", "abs(hashtext(lower($1))::bigint)"} {
		buyers := []int{}
		for i := range codes {
			id := b.owner.Value("select "+hash, codes[1-i]).(int)
			b.User(id)
			buyers = append(buyers, id)
		}
		ctx := context.Background()
		txs := []pgx.Tx{}
		for i, buyer := range buyers {
			if b.count("promo.code where code = $1", codes[i]) == 0 {
				b.issue(codes[i], 10, 5)
			}
			tx, err := b.bots[i].Begin(ctx)
			require.NoError(b, err)
			defer func() { _ = tx.Rollback(ctx) }()
			b.On(b, tx).Query("set local lock_timeout = '5s'")
			txs = append(txs, tx)
			for _, key := range []string{"1", "2"} {
				b.On(b, tx).One("billing.open_purchase", with(buyer, codes[i], key))
			}
		}
		require.Empty(b, b.owner.On(b, b.super).Query(`select * from pg_locks a join pg_locks o
			using (locktype, database, classid, objid, objsubid) where a.locktype = 'advisory' and a.pid < o.pid
			and a.database = (select oid from pg_database where datname = current_database())`), "no key in common")
		for i, tx := range txs { // and crossed: the other's code now
			b.On(b, tx).One("billing.open_purchase", with(buyers[i], codes[i], "3"))
			require.NoError(b, tx.Commit(ctx))
		}
	}
}
