package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sqlapi"
)

// withdrawDraft is what the withdrawal dialogue remembers. The amount is what was typed, and is checked again when the
// requisites come; from then on only the draft in the database counts. Requisites are never here.
type withdrawDraft struct {
	UpdateID int64         `json:"update_id"` // what brought the person to this step: its repeat is no answer to the next
	Amount   atlas.Kopecks `json:"amount_kopecks,omitempty"`
	DraftID  atlas.DraftID `json:"draft_id,omitempty"`
}

// withdraw shows what can be withdrawn, and what became of the latest request.
func (b *Bot) withdraw(ctx context.Context, r *request) (screen.Screen, error) {
	options, err := b.DB.Withdrawal.Options(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading withdrawal options: %w", err)
	}
	balance, err := b.DB.Wallet.Balance(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the balance: %w", err)
	}
	latest, err := b.DB.Withdrawal.Latest(ctx, r.user, 1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading withdrawals: %w", err)
	}
	return screen.Withdraw(r.text, options, balance, latest), nil
}

// withdrawCancel takes a request back.
func (b *Bot) withdrawCancel(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := strconv.ParseInt(r.argument, 10, 64)
	if err != nil || id < 1 {
		return screen.Screen{}, errOldButton
	}
	if _, err := b.DB.Withdrawal.Cancel(ctx, r.user, id); err != nil {
		return screen.Screen{}, fmt.Errorf("cancelling a withdrawal: %w", err)
	}
	s, err := b.withdraw(ctx, r)
	s.Toast = r.text.Plain("alert.cancelled")
	return s, err
}

// withdrawAsk begins the dialogue with the amount.
func (b *Bot) withdrawAsk(ctx context.Context, r *request) (screen.Screen, error) {
	err := b.Dialogues.Begin(ctx, int64(r.user), withdrawDialogue, withdrawAmount.name, withdrawDraft{UpdateID: r.updateID})
	if err != nil {
		b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
		return screen.CannotAsk(r.text, screen.VerbWithdraw), nil
	}
	return b.askWithdrawal(ctx, r, screen.WithdrawalAmount)
}

// askWithdrawal asks for the amount, for the reason that the screen gives.
func (b *Bot) askWithdrawal(ctx context.Context, r *request, reason screen.WithdrawalAsk) (screen.Screen, error) {
	options, err := b.DB.Withdrawal.Options(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading withdrawal options: %w", err)
	}
	balance, err := b.DB.Wallet.Balance(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the balance: %w", err)
	}
	return screen.AskWithdrawal(r.text, reason, options, balance), nil
}

// withdrawAmountTyped takes the amount; whether it can be withdrawn is the database's to say.
func (b *Bot) withdrawAmountTyped(ctx context.Context, r *request) (screen.Screen, error) {
	amount, err := parseAmount(r.argument)
	if err != nil {
		return b.askWithdrawal(ctx, r, screen.WithdrawalNoAmount)
	}
	possible, err := b.DB.Withdrawal.Validate(ctx, r.user, amount)
	switch {
	case errors.Is(err, atlas.ErrWithdrawalBelowMinimum):
		return b.askWithdrawal(ctx, r, screen.WithdrawalTooSmall)
	case errors.Is(err, atlas.ErrInsufficientFunds):
		return b.askWithdrawal(ctx, r, screen.WithdrawalTooLarge)
	case err != nil:
		return screen.Screen{}, fmt.Errorf("checking an amount to withdraw: %w", err)
	}
	if err := b.advance(ctx, r, withdrawRequisites, withdrawDraft{UpdateID: r.updateID, Amount: amount}); err != nil {
		return screen.Screen{}, err
	}
	return screen.AskRequisites(r.text, possible), nil
}

// withdrawRequisitesTyped seals the requisites and leaves them, with the amount, with the database.
func (b *Bot) withdrawRequisitesTyped(ctx context.Context, r *request) (screen.Screen, error) {
	var asked withdrawDraft
	if err := r.dialogue.Draft(&asked); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	if asked.UpdateID == r.updateID { // the amount once more: the screen that asks for the requisites was not seen
		possible, err := b.DB.Withdrawal.Validate(ctx, r.user, asked.Amount)
		if err != nil {
			return screen.Screen{}, fmt.Errorf("checking an amount to withdraw: %w", err)
		}
		return screen.AskRequisites(r.text, possible), nil
	}
	words, err := requisites.New(r.argument)
	if err != nil {
		return screen.WrongRequisites(r.text), nil //nolint:nilerr // said to the person
	}
	sealed, err := b.Requisites.Seal(words)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("sealing requisites: %w", err)
	}
	drafted, err := b.DB.Withdrawal.Draft(ctx, sqlapi.WithdrawalParams{
		TelegramID: r.user, Amount: asked.Amount, Requisites: sealed, Key: r.key("withdraw"),
	})
	switch {
	case errors.Is(err, atlas.ErrInsufficientFunds):
		return b.notEnoughToWithdraw(ctx, r)
	case err != nil:
		return screen.Screen{}, fmt.Errorf("drafting a withdrawal: %w", err)
	}
	if err := b.advance(ctx, r, withdrawConfirm, withdrawDraft{UpdateID: r.updateID, DraftID: drafted.DraftID}); err != nil {
		return screen.Screen{}, err
	}
	return b.drawDraft(ctx, r, drafted.DraftID, withdrawConfirm)
}

// withdrawConfirmed is the first of two confirmations.
func (b *Bot) withdrawConfirmed(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.draft()
	if err != nil {
		return screen.Screen{}, err
	}
	if !b.isAbout(r, withdrawConfirm, id) {
		return b.withdrawStands(ctx, r, id)
	}
	if err := b.advance(ctx, r, withdrawFinal, withdrawDraft{UpdateID: r.updateID, DraftID: id}); err != nil {
		return screen.Screen{}, err
	}
	return b.drawDraft(ctx, r, id, withdrawFinal)
}

// withdrawSubmit is the second: the draft becomes a request, with the amount and the requisites that the database has.
func (b *Bot) withdrawSubmit(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.draft()
	if err != nil {
		return screen.Screen{}, err
	}
	if !b.isAbout(r, withdrawFinal, id) {
		return b.withdrawStands(ctx, r, id)
	}
	if r.attempt == 1 { // a later one may find that the first has done it
		if err := b.attempt(ctx, r, limit.Withdrawal); err != nil {
			return screen.Screen{}, err
		}
	}
	switch draft, err := b.DB.Withdrawal.ShowDraft(ctx, r.user, id); {
	case err != nil && !errors.Is(err, atlas.ErrNoSuchWithdrawal): // that is for Submit to refuse, which is in the audit
		return screen.Screen{}, fmt.Errorf("reading a draft: %w", err)
	case err == nil && draft.Status == atlas.DraftOpen:
		if _, isReadable := b.openDraft(ctx, r, draft); !isReadable {
			return screen.RequisitesLost(r.text), nil
		}
	}
	_, err = b.DB.Withdrawal.Submit(ctx, r.user, id)
	switch {
	case errors.Is(err, atlas.ErrInsufficientFunds):
		return b.notEnoughToWithdraw(ctx, r)
	case errors.Is(err, atlas.ErrNoSuchWithdrawal):
		return b.drawDraft(ctx, r, id, withdrawFinal) // expired, or never the person's
	case err != nil:
		return screen.Screen{}, fmt.Errorf("submitting a withdrawal: %w", err)
	}
	r.isOver = true
	s, err := b.withdraw(ctx, r)
	s.Toast = r.text.Plain("alert.withdrawal_requested")
	return s, err
}

// withdrawWaits answers words where a button is waited for: with the screen that has it.
func (b *Bot) withdrawWaits(ctx context.Context, r *request) (screen.Screen, error) {
	var asked withdrawDraft
	if err := r.dialogue.Draft(&asked); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	return b.withdrawStands(ctx, r, asked.DraftID)
}

// isAbout says whether the person stands at a step, with this draft.
func (b *Bot) isAbout(r *request, at step, id atlas.DraftID) bool {
	var asked withdrawDraft
	return r.isAt(at) && r.dialogue.Draft(&asked) == nil && asked.DraftID == id
}

// withdrawStands shows where a withdrawal stands when something else was expected: another device was faster, the button
// is an old one, or the dialogue is lost.
func (b *Bot) withdrawStands(ctx context.Context, r *request, id atlas.DraftID) (screen.Screen, error) {
	for _, at := range []step{withdrawConfirm, withdrawFinal} {
		if b.isAbout(r, at, id) {
			return b.drawDraft(ctx, r, id, at)
		}
	}
	draft, err := b.DB.Withdrawal.ShowDraft(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a draft: %w", err)
	}
	r.isOver = true
	if draft.Status == atlas.DraftSubmitted {
		return b.withdraw(ctx, r)
	}
	return screen.StartAgain(r.text), nil
}

// drawDraft draws the screen of a step from the draft itself.
func (b *Bot) drawDraft(ctx context.Context, r *request, id atlas.DraftID, at step) (screen.Screen, error) {
	draft, err := b.DB.Withdrawal.ShowDraft(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a draft: %w", err)
	}
	switch {
	case draft.Status == atlas.DraftSubmitted:
		r.isOver = true
		return b.withdraw(ctx, r)
	case draft.Status != atlas.DraftOpen:
		r.isOver = true
		return screen.DraftExpired(r.text), nil
	}
	words, isReadable := b.openDraft(ctx, r, draft)
	switch {
	case !isReadable:
		return screen.RequisitesLost(r.text), nil
	case at == withdrawFinal:
		return screen.FinalWithdrawal(r.text, draft), nil
	default:
		return screen.ConfirmWithdrawal(r.text, draft, words.Masked()), nil
	}
}

// openDraft opens where an open draft is to be paid. Where nobody can read that any more the dialogue is over: it would be a
// request that can only be rejected.
func (b *Bot) openDraft(ctx context.Context, r *request, draft sqlapi.ShownDraft) (words requisites.Requisites, isReadable bool) {
	words, err := b.Requisites.Open(draft.Requisites)
	if err != nil {
		b.Log.ErrorContext(ctx, "requisites cannot be read: REQUISITES_KEY is another one", obs.Operation(r.operation),
			obs.Outcome(obs.OutcomeFailed), obs.Err(err), "draft_id", draft.DraftID)
		r.isOver = true
	}
	return words, err == nil
}

// notEnoughToWithdraw ends the dialogue: the money has gone elsewhere since the amount was typed.
func (b *Bot) notEnoughToWithdraw(ctx context.Context, r *request) (screen.Screen, error) {
	balance, err := b.DB.Wallet.Balance(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the balance: %w", err)
	}
	r.isOver = true
	return screen.NotEnoughToWithdraw(r.text, balance), nil
}
