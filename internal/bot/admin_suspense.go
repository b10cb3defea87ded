package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

func (b *Bot) adminSuspenseRoutes() []route {
	return append([]route{
		{verb: screen.VerbSuspense, handle: b.suspense},
		{verb: screen.VerbSuspended, handle: b.suspended},
	}, b.assignFlow().routes(b)...)
}

// suspense lists the money that is nobody's yet, oldest first.
func (b *Bot) suspense(ctx context.Context, r *request) (screen.Screen, error) {
	after, err := r.number(true)
	if err != nil {
		return screen.Screen{}, err
	}
	page, err := b.DB.Billing.ListSuspense(ctx, r.user, after, pageSize+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading suspense: %w", err)
	}
	return screen.Suspense(r.text, screen.PageOf(page, pageSize, after == 0)), nil
}

// suspended shows one payment.
func (b *Bot) suspended(ctx context.Context, r *request) (screen.Screen, error) {
	if _, err := r.number(false); err != nil {
		return screen.Screen{}, err
	}
	return b.paymentCard(ctx, r, r.argument)
}

func (b *Bot) paymentCard(ctx context.Context, r *request, id string) (screen.Screen, error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil || number < 1 {
		return screen.Screen{}, errOldButton
	}
	shown, err := b.DB.Billing.ShowPayment(ctx, r.user, number)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a payment: %w", err)
	}
	return screen.SuspendedPayment(r.text, shown), nil
}

// assignFlow gives money in suspense to the user whose it is.
func (b *Bot) assignFlow() *moneyFlow {
	return &moneyFlow{
		action: "assign", kind: adminKind("assign"), begin: screen.VerbAssign, confirm: screen.VerbAssigned,
		questions: []moneyQuestion{
			{name: "user", typed: b.typedUser},
			{name: "amount", typed: typedAmount, whole: screen.VerbAssignWhole},
			{name: "note", typed: typedNote},
		},
		read: func(ctx context.Context, r *request, id string) (screen.MoneySubject, error) {
			number, err := strconv.ParseInt(id, 10, 64)
			if err != nil || number < 1 {
				return screen.MoneySubject{}, errOldButton
			}
			shown, err := b.DB.Billing.ShowPayment(ctx, r.user, number)
			if err != nil {
				return screen.MoneySubject{}, fmt.Errorf("reading a payment: %w", err)
			}
			return screen.SubjectOfPayment(r.text, shown), nil
		},
		card: b.paymentCard,
		do: func(ctx context.Context, r *request, a screen.MoneyAction) (string, error) {
			number, err := strconv.ParseInt(a.Subject, 10, 64)
			if err != nil {
				return "", fmt.Errorf("a draft of no payment: %w", err)
			}
			_, err = b.DB.Billing.ResolveSuspense(ctx, sqlapi.ResolveSuspenseParams{
				AdminID: r.user, PaymentID: number, TelegramID: a.TelegramID, Amount: a.Amount, Note: a.Note,
			})
			if errors.Is(err, atlas.ErrBadArgument) { // the one thing that was not checked before: no more than was received
				return "too_much", nil
			}
			return "assigned", err //nolint:wrapcheck // in moneyConfirmed
		},
		decided: []error{atlas.ErrNotInSuspense},
	}
}

// typedUser takes a number or a name, of one user exactly.
func (b *Bot) typedUser(ctx context.Context, r *request, text string, a *screen.MoneyAction) (wrong string, err error) {
	query := userQuery(text)
	if query == "" {
		return "user", nil
	}
	found, err := b.DB.Account.FindUsers(ctx, r.user, query, 2)
	switch {
	case err != nil:
		return "", fmt.Errorf("looking for a user: %w", err)
	case len(found) == 0:
		return "nobody", nil
	case len(found) > 1 && strconv.FormatInt(int64(found[0].TelegramID), 10) != query && !strings.EqualFold(found[0].Username, query):
		return "several", nil
	}
	a.TelegramID, a.Username = found[0].TelegramID, found[0].Username
	return "", nil
}
