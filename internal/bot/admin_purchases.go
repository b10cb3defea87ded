package bot

import (
	"context"
	"fmt"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

var (
	purchaseDialogue = adminKind("purchase")
	purchaseOf       = step{kind: purchaseDialogue, name: "of"} // a purchase's id, or whose it is
)

func (b *Bot) adminPurchaseRoutes() []route {
	all := []route{
		{verb: screen.VerbManual, handle: b.askPurchase},
		{step: purchaseOf, handle: b.purchaseTyped},
		{verb: screen.VerbInspect, handle: b.inspect},
	}
	return append(append(all, b.manualFlow().routes(b)...), b.refundFlow().routes(b)...)
}

// askPurchase asks which purchase somebody has paid past the providers.
func (b *Bot) askPurchase(ctx context.Context, r *request) (screen.Screen, error) {
	return b.ask(ctx, r, purchaseOf, asked{UpdateID: r.updateID}, screen.AskPurchase(r.text, ""), screen.VerbAdmin)
}

// purchaseTyped takes a purchase's id, or a user, whose unpaid purchases are listed. The dialogue stays: what is typed next
// is another search.
func (b *Bot) purchaseTyped(ctx context.Context, r *request) (screen.Screen, error) {
	if id, err := atlas.ParsePurchaseID(strings.TrimSpace(r.argument)); err == nil {
		return b.purchaseCard(ctx, r, string(id))
	}
	var of screen.MoneyAction
	wrong, err := b.typedUser(ctx, r, r.argument, &of)
	if err != nil || wrong != "" {
		return screen.AskPurchase(r.text, wrong), err
	}
	unpaid, err := b.DB.Billing.ListUnpaid(ctx, r.user, of.TelegramID, pageSize)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading unpaid purchases: %w", err)
	}
	return screen.UnpaidPurchases(r.text, of.TelegramID, of.Username, unpaid), nil
}

// inspect shows the purchase that the button names.
func (b *Bot) inspect(ctx context.Context, r *request) (screen.Screen, error) {
	return b.purchaseCard(ctx, r, r.argument)
}

func (b *Bot) purchaseCard(ctx context.Context, r *request, id string) (screen.Screen, error) {
	shown, err := b.readPurchase(ctx, r, id)
	return screen.InspectedPurchase(r.text, shown), err
}

func (b *Bot) readPurchase(ctx context.Context, r *request, text string) (sqlapi.InspectedPurchase, error) {
	id, err := atlas.ParsePurchaseID(text)
	if err != nil {
		return sqlapi.InspectedPurchase{}, errOldButton
	}
	shown, err := b.DB.Billing.InspectPurchase(ctx, r.user, id)
	if err != nil {
		return shown, fmt.Errorf("reading a purchase: %w", err)
	}
	return shown, nil
}

// manualFlow books money that an admin has seen arrive.
func (b *Bot) manualFlow() *moneyFlow {
	return &moneyFlow{
		action: "manual", kind: adminKind("manual"), begin: screen.VerbManualPay, confirm: screen.VerbManualPaid,
		questions: []moneyQuestion{
			{name: "amount", typed: typedAmount, whole: screen.VerbManualWhole},
			{name: "note", typed: typedNote},
		},
		read: func(ctx context.Context, r *request, id string) (screen.MoneySubject, error) {
			shown, err := b.readPurchase(ctx, r, id)
			return screen.SubjectOfManual(r.text, shown), err
		},
		card: b.purchaseCard,
		do: func(ctx context.Context, r *request, a screen.MoneyAction) (string, error) {
			settled, err := b.DB.Billing.ApproveManual(ctx, sqlapi.ApproveManualParams{
				AdminID: r.user, PurchaseID: atlas.PurchaseID(a.Subject), Amount: a.Amount, Note: a.Note,
			})
			return "manual_" + string(settled.Outcome), err //nolint:wrapcheck // in moneyConfirmed
		},
		decided: []error{atlas.ErrPurchaseNotOpen},
	}
}

// refundFlow gives a subscription purchase back to the buyer's balance.
func (b *Bot) refundFlow() *moneyFlow {
	return &moneyFlow{
		action: "refund", kind: adminKind("refund"), begin: screen.VerbRefund, confirm: screen.VerbRefunded,
		questions: []moneyQuestion{{name: "note", typed: typedNote}},
		read: func(ctx context.Context, r *request, id string) (screen.MoneySubject, error) {
			shown, err := b.readPurchase(ctx, r, id)
			return screen.SubjectOfRefund(r.text, shown), err
		},
		card: b.purchaseCard,
		do: func(ctx context.Context, r *request, a screen.MoneyAction) (string, error) {
			_, err := b.DB.Billing.RefundPurchase(ctx, r.user, atlas.PurchaseID(a.Subject), a.Note)
			return "refunded", err //nolint:wrapcheck // in moneyConfirmed
		},
		decided: []error{atlas.ErrPurchaseNotOpen},
	}
}
