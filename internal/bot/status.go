package bot

import (
	"context"
	"fmt"

	"atlas-secure/internal/bot/screen"
)

// status says whether the service works, in words that help who uses it.
func (b *Bot) status(ctx context.Context, r *request) (screen.Screen, error) {
	states, err := b.DB.Ops.ServiceStatus(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the service's status: %w", err)
	}
	return screen.Status(r.text, states), nil
}
