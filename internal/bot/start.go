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
	return screen.Menu(r.text, r.name), nil
}

func (b *Bot) menu(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Menu(r.text, r.name), nil
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
	s := screen.Menu(r.text, r.name)
	s.Toast = r.text.Plain("alert.language_set")
	return s, nil
}
