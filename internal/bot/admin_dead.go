package bot

import (
	"context"
	"fmt"

	"atlas-secure/internal/bot/screen"
)

// dropAction names drafts of dead letters that are taken out.
const dropAction = "dead_letter_drop"

// droppedNote is what the audit has as an admin's words, where none are asked for.
const droppedNote = "cleared in the bot"

type droppedLetter struct {
	DeadID int64 `json:"dead_id"`
}

// deadLetters lists what jobs and handlers gave up.
func (b *Bot) deadLetters(ctx context.Context, r *request) (screen.Screen, error) {
	before, err := r.number(true)
	if err != nil {
		return screen.Screen{}, err
	}
	letters, err := b.DB.Ops.ListDeadLetters(ctx, r.user, before, pageSize+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading dead letters: %w", err)
	}
	return screen.DeadLetters(r.text, screen.PageOf(letters, pageSize, before == 0)), nil
}

// deadLetter shows one.
func (b *Bot) deadLetter(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	letter, isThere, err := b.DB.Ops.ShowDeadLetter(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a dead letter: %w", err)
	}
	if !isThere {
		return screen.NoDeadLetter(r.text), nil
	}
	return screen.DeadLetter(r.text, letter), nil
}

// deadLetterRetry has it tried again.
func (b *Bot) deadLetterRetry(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	isRetried, err := b.DB.Ops.RetryDeadLetter(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("retrying a dead letter: %w", err)
	}
	if !isRetried {
		s, err := b.deadLetter(ctx, r)
		s.Toast = screen.LetterNotRetried(r.text)
		return s, err
	}
	r.argument = ""
	s, err := b.deadLetters(ctx, r)
	s.Toast = screen.LetterRetried(r.text)
	return s, err
}

// deadLetterAsk asks whether it is to be taken out.
func (b *Bot) deadLetterAsk(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	letter, isThere, err := b.DB.Ops.ShowDeadLetter(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a dead letter: %w", err)
	}
	if !isThere {
		return screen.NoDeadLetter(r.text), nil
	}
	drafted, err := b.draftAction(ctx, r, dropAction, droppedLetter{DeadID: id})
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.AskLetterDropped(r.text, letter, drafted.DraftID), nil
}

// deadLetterDropped takes it out.
func (b *Bot) deadLetterDropped(ctx context.Context, r *request) (screen.Screen, error) {
	var dropped droppedLetter
	if _, err := b.confirmed(ctx, r, dropAction, &dropped); err != nil {
		return screen.Screen{}, err
	}
	isDropped, err := b.DB.Ops.DropDeadLetter(ctx, r.user, dropped.DeadID, droppedNote)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("clearing a dead letter: %w", err)
	}
	r.argument = ""
	s, err := b.deadLetters(ctx, r)
	s.Toast = screen.LetterDropped(r.text, isDropped)
	return s, err
}
