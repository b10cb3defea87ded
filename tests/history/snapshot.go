package history

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Snapshot is what the database holds about the users of a record, all of it as of one moment.
type Snapshot struct {
	Wallets     map[int64]Wallet
	Transfers   map[int64][]Transfer // by user, in the order of versions
	Purchases   map[string]Purchase
	Payments    map[int64]Payment
	Charges     map[Charge][]int64 // payment ids
	Codes       map[int64]Code
	Uses        []Use
	Withdrawals map[int64]Withdrawal
}

// Wallet is a user's balances, in kopecks.
type Wallet struct {
	TelegramID int64
	Available  int64
	Held       int64
	Debt       int64
	Version    int64
}

// Transfer is a ledger row; the balances are those after it.
type Transfer struct {
	TelegramID   int64
	Version      int64
	TransferID   int64
	Debit        string
	Credit       string
	Reason       string
	Amount       int64
	Available    int64
	Held         int64
	Debt         int64
	Purchase     string
	PaymentID    int64
	WithdrawalID int64
	Key          string
}

// change is what the row does to the balance of one of the user's accounts.
func (t Transfer) change(account string) int64 {
	switch account {
	case t.Credit:
		return t.Amount
	case t.Debit:
		return -t.Amount
	default:
		return 0
	}
}

// Purchase is what a user wanted to buy. Renews is the end of the period that an auto-renewal bought on, else nil.
type Purchase struct {
	TelegramID int64
	PurchaseID string
	Kind       string
	Status     string
	Price      int64
	PaidWith   string
	PaymentID  int64
	PromoID    int64
	Key        string
	Renews     *time.Time
}

// Payment is what came from a provider. TelegramID is 0 while it is nobody's.
type Payment struct {
	TelegramID int64
	PaymentID  int64
	Provider   string
	ChargeID   string
	Worth      int64
	Credited   int64
	Outcome    string
	Debt       int64
}

// Charge is a provider's name for a payment.
type Charge struct{ Provider, ID string }

// Code is a promo code; MaxUses 0 is no limit.
type Code struct {
	PromoID      int64
	Code         string
	MaxUses      int64
	PerUserLimit int64
}

// Use is one use of a promo code, reserved or consumed.
type Use struct {
	PromoID    int64
	UseNo      int64
	TelegramID int64
	Purchase   string
}

// Withdrawal is a request to be paid out.
type Withdrawal struct {
	TelegramID   int64
	WithdrawalID int64
	Status       string
	Amount       int64
	Key          string
	DraftID      string
}

// Beginner is a pool or connection of a role that may read all tables: the owner or a superuser.
type Beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// oneMoment is a transaction that sees one snapshot.
var oneMoment = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// Take reads a snapshot of the users from first to last, of payments that are nobody's, and of all promo codes.
func Take(ctx context.Context, owner Beginner, first, last int64) (*Snapshot, error) {
	tx, err := owner.BeginTx(ctx, oneMoment)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	r := reading{ctx: ctx, tx: tx, first: first, last: last}
	s := &Snapshot{
		Wallets: map[int64]Wallet{}, Transfers: map[int64][]Transfer{}, Purchases: map[string]Purchase{},
		Payments: map[int64]Payment{}, Charges: map[Charge][]int64{}, Codes: map[int64]Code{},
		Withdrawals: map[int64]Withdrawal{},
	}
	read(&r, walletSQL, func(w Wallet) { s.Wallets[w.TelegramID] = w })
	read(&r, transferSQL, func(t Transfer) { s.Transfers[t.TelegramID] = append(s.Transfers[t.TelegramID], t) })
	read(&r, purchaseSQL, func(p Purchase) { s.Purchases[p.PurchaseID] = p })
	read(&r, paymentSQL, func(p Payment) {
		s.Payments[p.PaymentID] = p
		charge := Charge{p.Provider, p.ChargeID}
		s.Charges[charge] = append(s.Charges[charge], p.PaymentID)
	})
	read(&r, codeSQL, func(c Code) { s.Codes[c.PromoID] = c })
	read(&r, useSQL, func(u Use) { s.Uses = append(s.Uses, u) })
	read(&r, withdrawalSQL, func(w Withdrawal) { s.Withdrawals[w.WithdrawalID] = w })
	return s, r.err
}

type reading struct {
	ctx         context.Context
	tx          pgx.Tx
	first, last int64
	err         error
}

func read[T any](r *reading, sql string, keep func(T)) {
	if r.err != nil {
		return
	}
	rows, err := r.tx.Query(r.ctx, sql, r.first, r.last)
	if err == nil {
		var all []T
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T]); err == nil {
			for _, one := range all {
				keep(one)
			}
			return
		}
	}
	r.err = fmt.Errorf("snapshot: %w", err)
}

const (
	walletSQL = `select telegram_id, available_kopecks::bigint, held_kopecks::bigint, debt_kopecks::bigint, version
		from wallet.wallet where telegram_id between $1 and $2`
	transferSQL = `select telegram_id, version, transfer_id, debit_account::text, credit_account::text, reason::text,
		amount_kopecks::bigint, available_kopecks::bigint, held_kopecks::bigint, debt_kopecks::bigint,
		coalesce(purchase_id::text, ''), coalesce(payment_id, 0), coalesce(withdrawal_id, 0),
		coalesce(idempotency_key, '')
		from ledger.transfer where telegram_id between $1 and $2 order by telegram_id, version`
	purchaseSQL = `select telegram_id, purchase_id::text, kind::text, status::text, price_kopecks::bigint,
		coalesce(paid_with, ''), coalesce(payment_id, 0), coalesce(promo_id, 0), idempotency_key, renews_expires_at
		from billing.purchase where telegram_id between $1 and $2`
	paymentSQL = `select telegram_id, payment_id, provider, charge_id, coalesce(worth_kopecks, 0),
		credited_kopecks::bigint, outcome::text, coalesce(reversal_debt_kopecks, 0)
		from billing.payment where telegram_id = 0 or telegram_id between $1 and $2`
	codeSQL = `select promo_id, code, coalesce(max_uses, 0)::bigint, per_user_limit::bigint from promo.code
		where $1::bigint <= $2::bigint`
	useSQL = `select promo_id, use_no, telegram_id, purchase_id::text from promo.use
		where $1::bigint <= $2::bigint`
	withdrawalSQL = `select telegram_id, withdrawal_id, status::text, amount_kopecks::bigint,
		coalesce(idempotency_key, ''), coalesce(draft_id::text, '')
		from withdrawal.withdrawal where telegram_id between $1 and $2`
)
