package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/telegram"
)

// maxTries is how often the inbox hands an update out (setting update_attempts); at the last try people are told.
const maxTries = 5

// failure draws what an error means to a person, or returns it if trying again may help.
func (b *Bot) failure(ctx context.Context, r *request, err error) (screen.Screen, error) {
	switch {
	case errors.Is(err, errOldButton), errors.Is(err, errNotForYou) && r.pressID != "":
		return screen.OldButton(r.text, r.name), nil
	case errors.Is(err, errNotForYou):
		return screen.Unknown(r.text), nil
	case errors.Is(err, errDraftOver):
		return screen.DraftOver(r.text), nil
	}
	if early := (*tooOftenError)(nil); errors.As(err, &early) {
		b.Log.InfoContext(ctx, "too often", obs.Operation(r.operation), obs.Outcome(obs.OutcomeRefused), obs.Err(err))
		return screen.TooOften(r.text, string(early.action), early.wait, early.back...), nil
	}
	if errors.Is(err, dialogue.ErrUnavailable) || errors.Is(err, dialogue.ErrOutdated) {
		b.Log.InfoContext(ctx, "no dialogue to go on with", obs.Operation(r.operation), obs.Err(err))
		return screen.StartAgain(r.text), nil
	}
	if isPassing(err) && r.attempt < maxTries {
		return screen.Screen{}, err
	}
	var refusal *atlas.Error
	if errors.As(err, &refusal) && !isPassing(err) {
		b.Log.InfoContext(ctx, "refused", obs.Operation(r.operation), obs.Outcome(obs.OutcomeRefused), obs.Err(err))
		return screen.Failure(r.text, refusal.Code, ""), nil
	}
	b.Log.ErrorContext(ctx, "could not answer", obs.Operation(r.operation), obs.Outcome(obs.OutcomeFailed), obs.Err(err))
	return screen.Failure(r.text, "", obs.CorrelationID(ctx)), nil
}

// isPassing says whether the same call may well succeed a little later.
func isPassing(err error) bool {
	for _, passing := range []error{
		atlas.ErrUnavailable, atlas.ErrSerialization, atlas.ErrDeadlock, atlas.ErrLockTimeout, context.Canceled,
		context.DeadlineExceeded, dialogue.ErrMoved, // whoever moved it on: another look finds where it stands
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// show puts the screen where the pressed button was, or under the chat, and then answers the press: the button stops
// loading when there is something to see. An error means that showing it again may help and does no harm.
func (b *Bot) show(ctx context.Context, r *request, s screen.Screen) error {
	var err error
	if !s.IsToastOnly() {
		err = b.draw(ctx, r, s)
	}
	if r.pressID != "" {
		if err := b.Sender.AnswerPress(ctx, r.pressID, s.Toast, false); err != nil {
			b.Log.InfoContext(ctx, "could not answer a button press", obs.Operation(r.operation), obs.Err(err))
		}
	}
	return err
}

func (b *Bot) draw(ctx context.Context, r *request, s screen.Screen) error {
	_, err := b.Sender.Show(ctx, r.messageID, s.Message(int64(r.user)))
	class := telegram.Classify(err)
	b.metrics.sent(class)
	switch class {
	case telegram.Delivered, telegram.Unreachable:
		return nil
	case telegram.Refused:
		b.Log.ErrorContext(ctx, "telegram refuses a screen", obs.Operation(r.operation), obs.Outcome(obs.OutcomeRefused), obs.Err(err))
		return nil
	case telegram.Unknown:
		// An edit may be repeated as often as one likes. A new message may have arrived: once more, and no more.
		if r.attempt > 1 && r.messageID == 0 {
			b.Log.WarnContext(ctx, "unknown whether a screen arrived", obs.Operation(r.operation), obs.Err(err))
			return nil
		}
	case telegram.Throttled, telegram.NotSent:
	}
	return fmt.Errorf("showing a screen (%s): %w", class, err)
}
