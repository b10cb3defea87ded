package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// What admins draft about a withdrawal.
const (
	approvePayout = "payout_approve"
	rejectPayout  = "payout_reject"
)

var (
	payoutDialogue = adminKind("payout")
	payoutReason   = step{kind: payoutDialogue, name: "reason"}
	payoutConfirm  = step{kind: payoutDialogue, name: "confirm"} // from here on there is a draft in the database
)

func (b *Bot) adminPayoutRoutes() []route {
	return []route{
		{verb: screen.VerbPayouts, handle: b.payouts},
		{verb: screen.VerbPayout, handle: b.payout},
		{verb: screen.VerbPayoutApprove, handle: b.payoutApprove},
		{verb: screen.VerbPayoutApproved, handle: b.payoutApproved},
		{verb: screen.VerbPayoutReject, handle: b.payoutReject},
		{step: payoutReason, handle: b.payoutReasonTyped},
		{step: payoutConfirm, handle: b.payoutWaits},
		{verb: screen.VerbPayoutRejected, handle: b.payoutRejected},
	}
}

// payoutDraft is what is done to which withdrawal. How much it is stays in the withdrawal itself.
type payoutDraft struct {
	WithdrawalID int64  `json:"withdrawal_id"`
	Reason       string `json:"reason,omitempty"`
}

// payoutAsked is what the dialogue remembers while the reason is asked for.
type payoutAsked struct {
	asked

	WithdrawalID int64 `json:"withdrawal_id,omitempty"`
}

// payouts lists the withdrawals that wait, oldest first.
func (b *Bot) payouts(ctx context.Context, r *request) (screen.Screen, error) {
	after, err := r.number(true)
	if err != nil {
		return screen.Screen{}, err
	}
	page, err := b.DB.Withdrawal.Queue(ctx, r.user, after, pageSize+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading pending withdrawals: %w", err)
	}
	return screen.Payouts(r.text, screen.PageOf(page, pageSize, after == 0)), nil
}

// payout shows one withdrawal.
func (b *Bot) payout(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.payoutCard(ctx, r, id)
}

// payoutCard shows a withdrawal, with where to pay if somebody may have to: that is opened here and nowhere else, and each
// look is in the audit.
func (b *Bot) payoutCard(ctx context.Context, r *request, id int64) (screen.Screen, error) {
	shown, err := b.DB.Withdrawal.Show(ctx, r.user, id)
	switch {
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a withdrawal: %w", err)
	case !screen.IsPayable(shown):
		return screen.Payout(r.text, shown, ""), nil
	}
	looked, err := b.DB.Withdrawal.Look(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("looking at a withdrawal: %w", err)
	}
	if looked.Requisites == "" {
		return screen.Payout(r.text, looked.ShownWithdrawal, ""), nil
	}
	opened, err := b.Requisites.Open(looked.Requisites)
	if err != nil {
		b.Log.ErrorContext(ctx, "requisites cannot be read: REQUISITES_KEY is another one", obs.Operation(r.operation),
			obs.Outcome(obs.OutcomeFailed), obs.Err(err), "withdrawal_id", id)
		return screen.UnreadablePayout(r.text, looked.ShownWithdrawal), nil
	}
	return screen.Payout(r.text, looked.ShownWithdrawal, opened.Reveal()), nil
}

// isReadable says whether it is known where to pay a withdrawal: nobody may approve one that cannot be paid. Like every look
// at requisites, this one is in the audit.
func (b *Bot) isReadable(ctx context.Context, r *request, shown sqlapi.ShownWithdrawal) (bool, error) {
	if !screen.IsPayable(shown) { // then the database has the say
		return true, nil
	}
	looked, err := b.DB.Withdrawal.Look(ctx, r.user, shown.WithdrawalID)
	if err != nil {
		return false, fmt.Errorf("looking at a withdrawal: %w", err)
	}
	_, err = b.Requisites.Open(looked.Requisites)
	return err == nil, nil
}

// payoutApprove asks whether the withdrawal is to be approved.
func (b *Bot) payoutApprove(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	shown, err := b.DB.Withdrawal.Show(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a withdrawal: %w", err)
	}
	switch isReadable, err := b.isReadable(ctx, r, shown); {
	case err != nil:
		return screen.Screen{}, err
	case !isReadable:
		return b.payoutCard(ctx, r, id)
	}
	drafted, err := b.draftAction(ctx, r, approvePayout, payoutDraft{WithdrawalID: id})
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawPayout(ctx, r, approvePayout, drafted.DraftID)
}

// drawPayout draws a confirm screen from its draft, or the withdrawal itself where there is nothing to decide any more.
func (b *Bot) drawPayout(ctx context.Context, r *request, action string, id atlas.DraftID) (screen.Screen, error) {
	var drafted payoutDraft
	isLate, err := b.readAction(ctx, r, id, action, &drafted)
	if err != nil {
		return screen.Screen{}, err
	}
	shown, err := b.DB.Withdrawal.Show(ctx, r.user, drafted.WithdrawalID)
	switch {
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a withdrawal: %w", err)
	case isLate || !screen.IsDecidable(shown, action == approvePayout):
		r.isOver = true
		return b.payoutCard(ctx, r, drafted.WithdrawalID)
	case action == approvePayout:
		return screen.ConfirmApproval(r.text, shown, id), nil
	default:
		return screen.ConfirmRejection(r.text, shown, drafted.Reason, id), nil
	}
}

// payoutApproved counts the admin's approval, the last one pays out.
func (b *Bot) payoutApproved(ctx context.Context, r *request) (screen.Screen, error) {
	return b.decidePayout(ctx, r, approvePayout, func(drafted payoutDraft) (string, error) {
		shown, err := b.DB.Withdrawal.Show(ctx, r.user, drafted.WithdrawalID)
		if err != nil {
			return "", err //nolint:wrapcheck // in decidePayout
		}
		isReadable, err := b.isReadable(ctx, r, shown)
		if err != nil || !isReadable {
			return "alert.payout_unreadable", err
		}
		approved, err := b.DB.Withdrawal.Approve(ctx, r.user, drafted.WithdrawalID)
		return "alert.payout_approval_" + approved.Status, err //nolint:wrapcheck // in decidePayout
	})
}

// payoutReject asks why.
func (b *Bot) payoutReject(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	shown, err := b.DB.Withdrawal.Show(ctx, r.user, id)
	switch {
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a withdrawal: %w", err)
	case !screen.IsDecidable(shown, false):
		return b.payoutCard(ctx, r, id)
	}
	begun := payoutAsked{asked: asked{UpdateID: r.updateID}, WithdrawalID: id}
	return b.ask(ctx, r, payoutReason, begun, screen.AskRejection(r.text, shown, false), screen.VerbPayouts)
}

// payoutReasonTyped takes the reason and leaves it with the database until it is confirmed.
func (b *Bot) payoutReasonTyped(ctx context.Context, r *request) (screen.Screen, error) {
	var begun payoutAsked
	if err := r.dialogue.Draft(&begun); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	shown, err := b.DB.Withdrawal.Show(ctx, r.user, begun.WithdrawalID)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a withdrawal: %w", err)
	}
	reason, ok := words(r.argument)
	if !ok {
		return screen.AskRejection(r.text, shown, true), nil
	}
	id, err := b.awaitConfirm(ctx, r, payoutConfirm, rejectPayout, payoutDraft{WithdrawalID: begun.WithdrawalID, Reason: reason})
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawPayout(ctx, r, rejectPayout, id)
}

// payoutWaits shows the confirm screen again: words where a button is waited for, or the reason once more.
func (b *Bot) payoutWaits(ctx context.Context, r *request) (screen.Screen, error) {
	var begun asked
	if err := r.dialogue.Draft(&begun); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	return b.drawPayout(ctx, r, rejectPayout, begun.DraftID)
}

// payoutRejected gives the held amount back.
func (b *Bot) payoutRejected(ctx context.Context, r *request) (screen.Screen, error) {
	return b.decidePayout(ctx, r, rejectPayout, func(drafted payoutDraft) (string, error) {
		_, err := b.DB.Withdrawal.Reject(ctx, r.user, drafted.WithdrawalID, drafted.Reason)
		return "alert.payout_rejected", err //nolint:wrapcheck // in decidePayout
	})
}

// decidePayout does what was confirmed and shows how the withdrawal stands now: as this admin has decided, or another one
// who was faster, whom the screen names.
func (b *Bot) decidePayout(
	ctx context.Context, r *request, action string, decide func(payoutDraft) (said string, err error),
) (screen.Screen, error) {
	id, err := r.draft()
	if err != nil {
		return screen.Screen{}, err
	}
	var drafted payoutDraft
	isLate, err := b.readAction(ctx, r, id, action, &drafted)
	if err != nil {
		return screen.Screen{}, err
	}
	said := "alert.payout_late"
	if !isLate {
		said, err = decide(drafted)
	}
	switch {
	case errors.Is(err, atlas.ErrWithdrawalNotPending):
		said = "alert.payout_decided"
	case errors.Is(err, atlas.ErrOwnWithdrawal):
		said = "alert.payout_own"
	case err != nil:
		return screen.Screen{}, fmt.Errorf("deciding on a withdrawal: %w", err)
	}
	s, err := b.payoutCard(ctx, r, drafted.WithdrawalID)
	s.Toast = r.text.Plain(said)
	return s, err
}
