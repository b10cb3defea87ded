package bot

import (
	"context"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
)

// start begins anew: whatever was asked is forgotten, and who is here for the first time chooses a language. What
// followed /start is stored with the registration, before anything else is asked.
func (b *Bot) start(ctx context.Context, r *request) (screen.Screen, error) {
	registration, err := b.register(ctx, r, r.argument)
	if err != nil {
		return screen.Screen{}, err
	}
	if !registration.IsLanguageChosen {
		return screen.Languages(r.text, b.Texts, true), nil
	}
	return screen.Menu(r.text, screen.MenuArgs{Name: r.name, HasTrial: registration.IsTrialOffered}), nil
}

// menu asks for one thing only: whether the person can still have a trial.
func (b *Bot) menu(ctx context.Context, r *request) (screen.Screen, error) {
	trial, err := b.DB.Subscription.TrialOffer(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the trial's offer: %w", err)
	}
	return screen.Menu(r.text, screen.MenuArgs{Name: r.name, HasTrial: trial.Refusal == ""}), nil
}

func (b *Bot) settings(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Settings(r.text), nil
}

func (b *Bot) languages(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Languages(r.text, b.Texts, false), nil
}

func (b *Bot) chooseLanguage(ctx context.Context, r *request) (screen.Screen, error) {
	chosen := atlas.Language(r.argument)
	if !b.Texts.Has(chosen) {
		return screen.Screen{}, errOldButton
	}
	if err := b.DB.Account.SetLanguage(ctx, r.user, chosen); err != nil {
		return screen.Screen{}, fmt.Errorf("setting the language: %w", err)
	}
	b.setLanguage(r, chosen)
	s, err := b.menu(ctx, r)
	s.Toast = r.text.Plain("alert.language_set")
	return s, err
}
