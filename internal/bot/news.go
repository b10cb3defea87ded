package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// newsRoutes is the button under a broadcast, which everybody has.
func (b *Bot) newsRoutes() []route {
	return []route{{verb: screen.VerbNews, handle: b.news}}
}

// news follows the button under a broadcast to where the database says that it leads. The broadcast itself stays in the
// chat: the screen comes below it.
func (b *Bot) news(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	offer, err := b.DB.Broadcast.NotePress(ctx, r.user, id)
	switch {
	case errors.Is(err, atlas.ErrNoSuchBroadcast):
		return screen.Screen{}, errOldButton
	case err != nil:
		return screen.Screen{}, fmt.Errorf("noting a press: %w", err)
	}
	r.argument, r.messageID = "", 0
	switch offer {
	case sqlapi.OfferBuy:
		return b.buy(ctx, r)
	case sqlapi.OfferKey:
		return b.key(ctx, r)
	case sqlapi.OfferStatus:
		return b.status(ctx, r)
	case sqlapi.OfferTrial:
		return b.trial(ctx, r)
	default:
		return b.menu(ctx, r)
	}
}
