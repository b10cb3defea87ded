package sqlapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
)

// Wallet holds the functions of schema wallet: balances and the ledger.
type Wallet struct{ db *DB }

// AdjustParams is a credit or a debit by an admin. Key makes a repeat a replay.
type AdjustParams struct {
	TelegramID atlas.TelegramID
	Amount     atlas.Kopecks
	AdminID    atlas.TelegramID
	Note       string
	Key        string
}

// Transfer is a movement and the balances after it.
type Transfer struct {
	TransferID int64         `db:"transfer_id"`
	Available  atlas.Kopecks `db:"available_kopecks"`
	Held       atlas.Kopecks `db:"held_kopecks"`
	IsReplay   bool          `db:"is_replay"`
}

var walletCredit = define(`select transfer_id, available_kopecks, held_kopecks, is_replay
from wallet.credit(p_telegram_id => @p_telegram_id, p_amount_kopecks => @p_amount_kopecks, p_admin_id => @p_admin_id,
  p_note => @p_note, p_idempotency_key => @p_idempotency_key)`, false)

// Credit adds to a balance in the name of an admin.
func (w Wallet) Credit(ctx context.Context, p AdjustParams) (Transfer, error) {
	return w.adjust(ctx, walletCredit, obs.BalanceIncreased, p)
}

var walletDebit = define(`select transfer_id, available_kopecks, held_kopecks, is_replay
from wallet.debit(p_telegram_id => @p_telegram_id, p_amount_kopecks => @p_amount_kopecks, p_admin_id => @p_admin_id,
  p_note => @p_note, p_idempotency_key => @p_idempotency_key)`, false)

// Debit takes from a balance in the name of an admin; atlas.ErrInsufficientFunds if there is not enough.
func (w Wallet) Debit(ctx context.Context, p AdjustParams) (Transfer, error) {
	return w.adjust(ctx, walletDebit, obs.BalanceDecreased, p)
}

func (w Wallet) adjust(ctx context.Context, c *call, event obs.MoneyEvent, p AdjustParams) (Transfer, error) {
	transfer, err := one[Transfer](ctx, w.db, c, pgx.StrictNamedArgs{
		"p_telegram_id":     int64(p.TelegramID),
		"p_amount_kopecks":  int64(p.Amount),
		"p_admin_id":        int64(p.AdminID),
		"p_note":            textOrNull(p.Note),
		"p_idempotency_key": p.Key,
	}, byAdmin(p.AdminID, p.TelegramID))
	if err == nil && !transfer.IsReplay {
		w.db.money(ctx, event, p.TelegramID, slog.Int64("amount_kopecks", int64(p.Amount)),
			slog.Int64("transfer_id", transfer.TransferID), slog.Int64("admin_id", int64(p.AdminID)))
	}
	return transfer, err
}

// Balance is what a user has. Version is that of the last ledger row.
type Balance struct {
	Available atlas.Kopecks `db:"available_kopecks"`
	Held      atlas.Kopecks `db:"held_kopecks"`
	Version   int64         `db:"version"`
	Debt      atlas.Kopecks `db:"debt_kopecks"`
}

var walletBalance = define(`select available_kopecks, held_kopecks, version, debt_kopecks
from wallet.balance(p_telegram_id => @p_telegram_id)`, false).reading()

// Balance reads a wallet.
func (w Wallet) Balance(ctx context.Context, user atlas.TelegramID) (Balance, error) {
	return one[Balance](ctx, w.db, walletBalance, pgx.StrictNamedArgs{"p_telegram_id": int64(user)}, about(user))
}

// StatementLine is a row of a user's ledger with the balances after it. Amount is the signed change of the available
// balance, 0 where a provider paid the shop directly; Moved is what moved, without a sign.
type StatementLine struct {
	Version   int64         `db:"version"`
	CreatedAt time.Time     `db:"created_at"`
	Reason    string        `db:"reason"`
	Amount    atlas.Kopecks `db:"amount_kopecks"`
	Available atlas.Kopecks `db:"available_kopecks"`
	Held      atlas.Kopecks `db:"held_kopecks"`
	Reference string        `db:"reference"`
	Moved     atlas.Kopecks `db:"moved_kopecks"`
	Note      string        `db:"note"`
}

var walletStatement = define(`select version, created_at, reason, amount_kopecks, available_kopecks, held_kopecks,
  coalesce(reference, '') as reference, moved_kopecks, coalesce(note, '') as note
from wallet.statement(p_telegram_id => @p_telegram_id, p_limit => @p_limit, p_before_version => @p_before_version)`, false).reading()

// Statement reads the newest rows of a user's ledger, before a version if that is not 0.
func (w Wallet) Statement(
	ctx context.Context, user atlas.TelegramID, limit int, beforeVersion int64,
) ([]StatementLine, error) {
	return many[StatementLine](ctx, w.db, walletStatement, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_limit": limit, "p_before_version": numberOrNull(beforeVersion),
	}, about(user))
}
