package bot

import (
	"context"
	"fmt"

	"atlas-secure/internal/bot/screen"
)

// loyalty shows a person's link and what it has brought.
func (b *Bot) loyalty(ctx context.Context, r *request) (screen.Screen, error) {
	stats, err := b.DB.Referral.Stats(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the referrals: %w", err)
	}
	name, err := b.Client.Name(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("asking for the bot's name: %w", err)
	}
	return screen.Loyalty(r.text, stats, name), nil
}
