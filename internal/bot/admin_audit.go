package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// auditAll shows a page of all that was done: the newest, or what was before the event that the button carries.
func (b *Bot) auditAll(ctx context.Context, r *request) (screen.Screen, error) {
	return b.auditPage(ctx, r, screen.VerbAdminAudit, sqlapi.AuditFilter{Before: r.argument})
}

// auditOn shows what was done to the user whom the button names.
func (b *Bot) auditOn(ctx context.Context, r *request) (screen.Screen, error) {
	number, before, _ := strings.Cut(r.argument, ":")
	id, err := telegramID(number)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.auditPage(ctx, r, screen.VerbAdminAuditOn, sqlapi.AuditFilter{Subject: id, Before: before})
}

// auditBy shows what the user whom the button names has done.
func (b *Bot) auditBy(ctx context.Context, r *request) (screen.Screen, error) {
	number, before, _ := strings.Cut(r.argument, ":")
	id, err := telegramID(number)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.auditPage(ctx, r, screen.VerbAdminAuditBy, sqlapi.AuditFilter{Actor: id, Before: before})
}

func (b *Bot) auditPage(
	ctx context.Context, r *request, verb screen.Verb, filter sqlapi.AuditFilter,
) (screen.Screen, error) {
	events, err := b.DB.Audit.List(ctx, r.user, filter, screen.AuditPage+1)
	if errors.Is(err, atlas.ErrBadArgument) { // no such event to begin before
		return screen.Screen{}, errOldButton
	}
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the audit: %w", err)
	}
	return screen.Audit(r.text, verb, filter, events), nil
}
