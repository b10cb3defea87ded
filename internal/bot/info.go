package bot

import (
	"context"

	"atlas-secure/internal/bot/screen"
)

func (b *Bot) help(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Help(r.text), nil
}

func (b *Bot) info(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Info(r.text), nil
}

func (b *Bot) privacy(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Privacy(r.text), nil
}

func (b *Bot) support(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Support(r.text, b.SupportContact, int64(r.user)), nil
}

func (b *Bot) paymentSupport(_ context.Context, r *request) (screen.Screen, error) {
	return screen.PaymentSupport(r.text, b.SupportContact, int64(r.user)), nil
}

func (b *Bot) instruction(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Instruction(r.text), nil
}

func (b *Bot) guide(_ context.Context, r *request) (screen.Screen, error) {
	s, ok := screen.Guide(r.text, screen.Platform(r.argument))
	if !ok {
		return screen.Screen{}, errOldButton
	}
	return s, nil
}
