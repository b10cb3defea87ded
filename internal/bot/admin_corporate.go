package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
)

// adminCorporateRoutes: requests for corporate access.
func (b *Bot) adminCorporateRoutes() []route {
	return []route{
		{verb: screen.VerbAdminCorporate, handle: b.corporateList},
		{verb: screen.VerbAdminCorporateDone, handle: b.corporateDone},
	}
}

// corporateList shows the oldest requests that wait.
func (b *Bot) corporateList(ctx context.Context, r *request) (screen.Screen, error) {
	waiting, err := b.DB.Account.ListCorporate(ctx, r.user, screen.CorporatePage+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the corporate requests: %w", err)
	}
	return screen.CorporateList(r.text, waiting), nil
}

// corporateDone takes a request off the list: somebody has talked with the user.
func (b *Bot) corporateDone(ctx context.Context, r *request) (screen.Screen, error) {
	person, request, _ := strings.Cut(r.argument, ":")
	user, err := strconv.ParseInt(person, 10, 64)
	if err != nil || !atlas.TelegramID(user).IsValid() {
		return screen.Screen{}, errOldButton
	}
	id, err := strconv.ParseInt(request, 10, 64)
	if err != nil || id < 1 {
		return screen.Screen{}, errOldButton
	}
	if err := b.DB.Account.CloseCorporate(ctx, r.user, atlas.TelegramID(user), id); err != nil {
		return screen.Screen{}, fmt.Errorf("closing a corporate request: %w", err)
	}
	s, err := b.corporateList(ctx, r)
	s.Toast = r.text.Plain("alert.corporate_done")
	return s, err
}
