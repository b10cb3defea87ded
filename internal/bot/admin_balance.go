package bot

import (
	"context"
	"strings"
	"unicode/utf8"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// An admin adds to a user's balance, or takes from it.
var (
	creditDialogue = kindOf("credit")
	creditAmount   = step{kind: creditDialogue, name: "amount"}
	creditNote     = step{kind: creditDialogue, name: "note"}

	debitDialogue = kindOf("debit")
	debitAmount   = step{kind: debitDialogue, name: "amount"}
	debitNote     = step{kind: debitDialogue, name: "note"}
)

func creditFlow() *userFlow {
	return &userFlow{
		action: "credit", begin: screen.VerbAdminCredit, confirm: screen.VerbAdminCreditYes,
		questions: amountAndNote(creditAmount, creditNote),
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			transfer, err := b.DB.Wallet.Credit(ctx, adjustment(admin, a, c))
			return transfer.IsReplay, err //nolint:wrapcheck // the caller says what it was
		},
	}
}

func debitFlow() *userFlow {
	return &userFlow{
		action: "debit", begin: screen.VerbAdminDebit, confirm: screen.VerbAdminDebitYes,
		questions: amountAndNote(debitAmount, debitNote),
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			transfer, err := b.DB.Wallet.Debit(ctx, adjustment(admin, a, c))
			return transfer.IsReplay, err //nolint:wrapcheck // the caller says what it was
		},
	}
}

func adjustment(admin atlas.TelegramID, a screen.UserAction, c confirmation) sqlapi.AdjustParams {
	return sqlapi.AdjustParams{TelegramID: a.TelegramID, Amount: a.Amount, AdminID: admin, Note: a.Note, Key: c.key}
}

func amountAndNote(amount, note step) []question {
	return []question{
		{
			step: amount,
			typed: func(text string, a *screen.UserAction) bool {
				parsed, err := parseAmount(text)
				a.Amount = parsed
				return err == nil
			},
			next: func(screen.UserAction) string { return note.name },
		},
		{step: note, typed: noted},
	}
}

// maxNote is how long an admin's words about an action may be, in characters.
const maxNote = 300

// noted takes an admin's words.
func noted(text string, a *screen.UserAction) bool {
	a.Note = strings.TrimSpace(text)
	return a.Note != "" && utf8.ValidString(a.Note) && !strings.Contains(a.Note, "\x00") && utf8.RuneCountInString(a.Note) <= maxNote
}
