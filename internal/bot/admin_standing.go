package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// An admin changes how a user stands: discounts, VIP, a block. And makes a new key, or gives a purchase back.
var (
	discountDialogue = kindOf(setDiscount)
	discountPercent  = step{kind: discountDialogue, name: "percent"}
	discountExpiry   = step{kind: discountDialogue, name: "expiry"}

	blockDialogue = kindOf("block")
	blockReason   = step{kind: blockDialogue, name: "reason"}

	unblockDialogue = kindOf("unblock")
	unblockReason   = step{kind: unblockDialogue, name: "reason"}

	refundDialogue = kindOf("refund")
	refundReason   = step{kind: refundDialogue, name: "reason"}
)

// The names of drafts whose function takes the draft itself are the functions'.
const (
	setDiscount = "set_discount"
	setVIP      = "set_vip"
)

// maxDiscountDays is the longest that a discount can be given for, but for good.
const maxDiscountDays = 3650

func discountFlow() *userFlow {
	return &userFlow{
		action: setDiscount, begin: screen.VerbAdminDiscount, confirm: screen.VerbAdminDiscountYes,
		questions: []question{
			{step: discountPercent, typed: percentTyped, next: func(a screen.UserAction) string {
				if a.Percent == 0 {
					return ""
				}
				return discountExpiry.name
			}},
			{step: discountExpiry, verb: screen.VerbAdminDiscountExpiry, typed: daysTyped, pressed: daysPressed},
		},
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			//nolint:wrapcheck // the caller says what it was
			return b.DB.Account.SetDiscount(ctx, sqlapi.DiscountParams{
				AdminID: admin, TelegramID: a.TelegramID, Percent: a.Percent, ExpiresAt: a.Until, Draft: c.draft,
			})
		},
	}
}

// percentTyped takes 1 to 99, or 0 for no discount.
func percentTyped(text string, a *screen.UserAction) bool {
	percent, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%")))
	if err != nil || percent < 0 || percent > 99 {
		return false
	}
	a.Percent = percent
	return true
}

func daysTyped(text string, a *screen.UserAction) bool {
	days, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || days < 1 || days > maxDiscountDays {
		return false
	}
	a.Days = days
	return true
}

// daysPressed takes one of the times on the screen; the first is for good.
func daysPressed(place int, _ screen.UserOptions, a *screen.UserAction) bool {
	if place < 0 || place >= len(screen.DiscountDays) {
		return false
	}
	a.Days = screen.DiscountDays[place]
	return true
}

func vipFlow() *userFlow {
	return &userFlow{
		action: setVIP, begin: screen.VerbAdminVIP, confirm: screen.VerbAdminVIPYes,
		prepare: func(_ context.Context, _ *Bot, card sqlapi.Card, _ string, a *screen.UserAction) error {
			a.IsVIP = !card.IsVIP
			return nil
		},
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			return b.DB.Account.SetVIP(ctx, admin, a.TelegramID, a.IsVIP, c.draft) //nolint:wrapcheck // the caller says what it was
		},
	}
}

func blockFlow() *userFlow {
	return &userFlow{
		action: "block", begin: screen.VerbAdminBlock, confirm: screen.VerbAdminBlockYes,
		questions: []question{{step: blockReason, typed: noted}},
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			return b.DB.Account.Block(ctx, judgement(admin, a, c)) //nolint:wrapcheck // the caller says what it was
		},
	}
}

func unblockFlow() *userFlow {
	return &userFlow{
		action: "unblock", begin: screen.VerbAdminUnblock, confirm: screen.VerbAdminUnblockYes,
		questions: []question{{step: unblockReason, typed: noted}},
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			return b.DB.Account.Unblock(ctx, judgement(admin, a, c)) //nolint:wrapcheck // the caller says what it was
		},
	}
}

func judgement(admin atlas.TelegramID, a screen.UserAction, c confirmation) sqlapi.JudgeParams {
	return sqlapi.JudgeParams{AdminID: admin, TelegramID: a.TelegramID, Reason: a.Note, Draft: c.draft}
}

func reissueFlow() *userFlow {
	return &userFlow{
		action: "reissue", begin: screen.VerbAdminReissue, confirm: screen.VerbAdminReissueYes,
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			reissued, err := b.DB.VPN.Reissue(ctx, a.TelegramID, admin, c.key)
			return reissued.IsReplay, err //nolint:wrapcheck // the caller says what it was
		},
	}
}

func refundFlow() *userFlow {
	return &userFlow{
		action: "refund", begin: screen.VerbAdminRefund, confirm: screen.VerbAdminRefundYes,
		prepare: func(ctx context.Context, b *Bot, card sqlapi.Card, rest string, a *screen.UserAction) error {
			id, err := atlas.ParsePurchaseID(rest)
			if err != nil {
				return errOldButton
			}
			p, err := b.DB.Billing.ShowPurchase(ctx, card.TelegramID, id)
			if err != nil {
				return fmt.Errorf("reading a purchase: %w", err)
			}
			a.PurchaseID, a.Amount, a.Tariff, a.Months = p.PurchaseID, p.Price, p.Tariff, p.Months
			return nil
		},
		questions: []question{{step: refundReason, typed: noted}},
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, _ confirmation) (bool, error) {
			refund, err := b.DB.Billing.RefundPurchase(ctx, admin, a.PurchaseID, a.Note)
			return refund.IsReplay, err //nolint:wrapcheck // the caller says what it was
		},
	}
}
