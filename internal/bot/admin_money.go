package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/obs"
)

// pageSize is how many lines a list of the admins shows at once.
const pageSize = 8

// number is the positive number that a button carries; none is 0 when the button may come without.
func (r *request) number(mayBeMissing bool) (int64, error) {
	if r.argument == "" && mayBeMissing {
		return 0, nil
	}
	id, err := strconv.ParseInt(r.argument, 10, 64)
	if err != nil || id < 1 {
		return 0, errOldButton
	}
	return id, nil
}

// readAction reads a drafted action into what its screens need. isLate: its time is over. Who asks then shows how the thing
// itself stands, because it may have been done in time.
func (b *Bot) readAction(
	ctx context.Context, r *request, id atlas.DraftID, action string, into any,
) (isLate bool, err error) {
	drafted, err := b.DB.Account.ShowAction(ctx, r.user, id)
	switch {
	case err != nil:
		return false, fmt.Errorf("reading a draft: %w", err)
	case drafted.Action != action:
		return false, errOldButton
	}
	if err := json.Unmarshal(drafted.Arguments, into); err != nil {
		return false, fmt.Errorf("reading a draft: %w", err)
	}
	return drafted.IsExpired, nil
}

// asked is what a dialogue of the admins remembers until there is a draft: which update brought the admin to this step,
// whose repeat is no answer to the next one, and then the draft alone.
type asked struct {
	UpdateID int64         `json:"update_id"`
	DraftID  atlas.DraftID `json:"draft_id,omitempty"`
}

// ask begins a dialogue of the admins; where it cannot, the admin is led back.
func (b *Bot) ask(
	ctx context.Context, r *request, at step, draft any, s screen.Screen, back screen.Verb,
) (screen.Screen, error) {
	if err := b.Dialogues.Begin(ctx, int64(r.user), at.kind, at.name, draft); err != nil {
		b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
		return screen.CannotAsk(r.text, back), nil
	}
	return s, nil
}

// awaitConfirm drafts an action with what was asked, and moves the dialogue on to its confirm screen.
func (b *Bot) awaitConfirm(ctx context.Context, r *request, to step, action string, arguments any) (atlas.DraftID, error) {
	drafted, err := b.draftAction(ctx, r, action, arguments)
	if err != nil {
		return "", err
	}
	return drafted.DraftID, b.advance(ctx, r, to, asked{UpdateID: r.updateID, DraftID: drafted.DraftID})
}

// maxWords is the longest note or reason, in characters.
const maxWords = 500

// words is a note or a reason as it was typed; false if it is none.
func words(text string) (string, bool) {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	isOdd := func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }
	return text, text != "" && utf8.RuneCountInString(text) <= maxWords && !strings.ContainsFunc(text, isOdd)
}

// adminKind names a dialogue of the admins.
func adminKind(name string) dialogue.Kind { return dialogue.Kind{Name: "admin_" + name, Version: 1} }
