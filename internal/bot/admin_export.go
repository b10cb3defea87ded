package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// exports lists what the admin has asked for, and how far it is.
func (b *Bot) exports(ctx context.Context, r *request) (screen.Screen, error) {
	before, err := r.number(true)
	if err != nil {
		return screen.Screen{}, err
	}
	found, err := b.DB.Ops.ListExports(ctx, r.user, before, screen.ExportPage+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading exports: %w", err)
	}
	return screen.Exports(r.text, screen.PageOf(found, screen.ExportPage, before == 0)), nil
}

// export asks for a file.
func (b *Bot) export(ctx context.Context, r *request) (screen.Screen, error) {
	if !slices.Contains(screen.ExportKinds, r.argument) {
		return screen.Screen{}, errOldButton
	}
	return b.askExport(ctx, r, r.argument, 0)
}

// batchFile asks for a file of the codes of a batch.
func (b *Bot) batchFile(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	s, err := b.askExport(ctx, r, sqlapi.ExportBatch, id)
	if errors.Is(err, atlas.ErrNoSuchPromo) {
		return screen.NoSuchPromo(r.text), nil
	}
	return s, err
}

func (b *Bot) askExport(ctx context.Context, r *request, kind string, batch int64) (screen.Screen, error) {
	isReplay, err := b.DB.Ops.RequestExport(ctx, r.user, kind, batch, r.key("export"))
	if err != nil {
		return screen.Screen{}, fmt.Errorf("asking for an export: %w", err)
	}
	r.argument = ""
	s, err := b.exports(ctx, r)
	s.Toast = screen.ExportAsked(r.text, isReplay)
	return s, err
}

// exportCancel ends one that is under way.
func (b *Bot) exportCancel(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	isCancelled, err := b.DB.Ops.CancelExport(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("cancelling an export: %w", err)
	}
	r.argument = ""
	s, err := b.exports(ctx, r)
	s.Toast = screen.ExportStopped(r.text, isCancelled)
	return s, err
}
