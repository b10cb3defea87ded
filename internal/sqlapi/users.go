package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// FoundUser is somebody whom an admin has looked for. Username may be empty.
type FoundUser struct {
	TelegramID   atlas.TelegramID `db:"telegram_id"`
	Username     string           `db:"username"`
	IsBlocked    bool             `db:"is_blocked"`
	RegisteredAt time.Time        `db:"registered_at"`
}

var accountFindUsers = define(`select telegram_id, coalesce(username, '') as username, is_blocked, registered_at
from account.find_users(p_admin_id => @p_admin_id, p_query => @p_query, p_limit => @p_limit)`, false).reading()

// FindUsers reads who has the number that the query is, and whose name begins with it. The query has 1 to 64 characters.
func (a Account) FindUsers(ctx context.Context, admin atlas.TelegramID, query string, limit int) ([]FoundUser, error) {
	return many[FoundUser](ctx, a.db, accountFindUsers, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_query": query, "p_limit": limit,
	}, about(admin))
}

// Card is what an admin sees of a user. Texts and numbers are empty where there is nothing, moments nil.
type Card struct {
	TelegramID    atlas.TelegramID `db:"telegram_id"`
	Username      string           `db:"username"`
	Language      atlas.Language   `db:"language"`
	RegisteredAt  time.Time        `db:"registered_at"`
	IsReachable   bool             `db:"is_reachable"`
	IsAdmin       bool             `db:"is_admin"`
	IsBlocked     bool             `db:"is_blocked"`
	BlockedAt     *time.Time       `db:"blocked_at"`
	BlockedReason string           `db:"blocked_reason"`

	IsVIP             bool       `db:"is_vip"`
	PersonalPercent   int        `db:"personal_percent"`
	PersonalExpiresAt *time.Time `db:"personal_expires_at"`
	DiscountPercent   int        `db:"discount_percent"` // the larger of both

	Available atlas.Kopecks `db:"available_kopecks"`
	Held      atlas.Kopecks `db:"held_kopecks"`
	Debt      atlas.Kopecks `db:"debt_kopecks"`

	Status     atlas.SubscriptionStatus `db:"status"`
	Tariff     atlas.Tariff             `db:"tariff"`
	ExpiresAt  *time.Time               `db:"expires_at"`
	AutoRenew  bool                     `db:"auto_renew"`
	Activation atlas.Activation         `db:"activation"`

	ReferrerID atlas.TelegramID `db:"referrer_id"`
	Invited    int              `db:"invited"`
	Paying     int              `db:"paying"`
	Earned     atlas.Kopecks    `db:"earned_kopecks"`

	Purchases      int           `db:"purchases"` // subscriptions that are paid and not refunded
	Spent          atlas.Kopecks `db:"spent_kopecks"`
	LastTariff     atlas.Tariff  `db:"last_tariff"`
	LastMonths     int           `db:"last_months"`
	LastPrice      atlas.Kopecks `db:"last_kopecks"`
	LastPaidAt     *time.Time    `db:"last_paid_at"`
	LastPaidWith   string        `db:"last_paid_with"`
	PaymentFrom    string        `db:"payment_provider"`
	PaymentWorth   atlas.Kopecks `db:"payment_kopecks"`
	PaymentOutcome string        `db:"payment_outcome"`
	PaymentAt      *time.Time    `db:"payment_at"`
	WithdrawalID   int64         `db:"withdrawal_id"` // the pending one
	Withdrawal     atlas.Kopecks `db:"withdrawal_kopecks"`
}

var accountCard = define(`select telegram_id, coalesce(username, '') as username, language, registered_at, is_reachable,
  is_admin, is_blocked, blocked_at, coalesce(blocked_reason, '') as blocked_reason, is_vip,
  coalesce(personal_percent, 0) as personal_percent, personal_expires_at, discount_percent, available_kopecks,
  held_kopecks, debt_kopecks, status, coalesce(tariff, '') as tariff, expires_at, auto_renew, activation,
  coalesce(referrer_id, 0) as referrer_id, invited, paying, earned_kopecks, purchases, spent_kopecks,
  coalesce(last_tariff, '') as last_tariff, coalesce(last_months, 0) as last_months,
  coalesce(last_kopecks, 0) as last_kopecks, last_paid_at, coalesce(last_paid_with, '') as last_paid_with,
  coalesce(payment_provider, '') as payment_provider, coalesce(payment_kopecks, 0) as payment_kopecks,
  coalesce(payment_outcome, '') as payment_outcome, payment_at, coalesce(withdrawal_id, 0) as withdrawal_id,
  coalesce(withdrawal_kopecks, 0) as withdrawal_kopecks
from account.card(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id)`, false).reading()

// Card reads a user for an admin. atlas.ErrNoSuchUser.
func (a Account) Card(ctx context.Context, admin, user atlas.TelegramID) (Card, error) {
	return one[Card](ctx, a.db, accountCard, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_telegram_id": int64(user),
	}, byAdmin(admin, user))
}

// JudgeParams is a block, or the end of one. Draft, which may be empty, is the admin's draft that it was confirmed from: with
// it a repeat changes nothing, whatever was done since.
type JudgeParams struct {
	AdminID    atlas.TelegramID
	TelegramID atlas.TelegramID
	Reason     string
	Draft      atlas.DraftID
}

func (p JudgeParams) args() pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"p_admin_id": int64(p.AdminID), "p_telegram_id": int64(p.TelegramID), "p_reason": textOrNull(p.Reason),
		"p_draft_id": textOrNull(string(p.Draft)),
	}
}

type judged struct {
	IsReplay bool `db:"is_replay"`
}

var accountBlock = define(`select is_replay
from account.block(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_reason => @p_reason,
  p_draft_id => @p_draft_id)`, false)

// Block stops a user from buying. True: the draft had been done before.
func (a Account) Block(ctx context.Context, p JudgeParams) (bool, error) {
	answer, err := one[judged](ctx, a.db, accountBlock, p.args(), byAdmin(p.AdminID, p.TelegramID))
	return answer.IsReplay, err
}

var accountUnblock = define(`select is_replay
from account.unblock(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_reason => @p_reason,
  p_draft_id => @p_draft_id)`, false)

// Unblock lets a user buy again. True: the draft had been done before.
func (a Account) Unblock(ctx context.Context, p JudgeParams) (bool, error) {
	answer, err := one[judged](ctx, a.db, accountUnblock, p.args(), byAdmin(p.AdminID, p.TelegramID))
	return answer.IsReplay, err
}

// DiscountParams is a user's personal discount: 1 to 99 percent, or 0 for none. ExpiresAt is nil for no end; Draft is as
// in JudgeParams.
type DiscountParams struct {
	AdminID    atlas.TelegramID
	TelegramID atlas.TelegramID
	Percent    int
	ExpiresAt  *time.Time
	Draft      atlas.DraftID
}

var accountSetDiscount = define(`select is_replay
from account.set_discount(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_percent => @p_percent,
  p_expires_at => @p_expires_at, p_draft_id => @p_draft_id)`, false)

// SetDiscount gives a user a personal discount or takes it away. True: the draft had been done before.
func (a Account) SetDiscount(ctx context.Context, p DiscountParams) (bool, error) {
	answer, err := one[judged](ctx, a.db, accountSetDiscount, pgx.StrictNamedArgs{
		"p_admin_id": int64(p.AdminID), "p_telegram_id": int64(p.TelegramID), "p_percent": p.Percent,
		"p_expires_at": p.ExpiresAt, "p_draft_id": textOrNull(string(p.Draft)),
	}, byAdmin(p.AdminID, p.TelegramID))
	return answer.IsReplay, err
}

var accountSetVIP = define(`select is_replay
from account.set_vip(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_is_vip => @p_is_vip,
  p_draft_id => @p_draft_id)`, false)

// SetVIP makes a user a VIP, or not. True: the draft, which may be empty, had been done before.
func (a Account) SetVIP(ctx context.Context, admin, user atlas.TelegramID, isVIP bool, draft atlas.DraftID) (bool, error) {
	answer, err := one[judged](ctx, a.db, accountSetVIP, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_telegram_id": int64(user), "p_is_vip": isVIP,
		"p_draft_id": textOrNull(string(draft)),
	}, byAdmin(admin, user))
	return answer.IsReplay, err
}
