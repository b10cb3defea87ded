package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// request is one thing that a person said, and what is known about the person.
type request struct {
	updateID  int64
	attempt   int // 1 at the first try
	user      atlas.TelegramID
	name      string
	from      *telego.User
	language  atlas.Language
	text      *i18n.Text
	operation string // the route, for logs and metrics
	// isMet says that the update came with what the database knows of the person.
	isMet, isReachable bool

	argument  string // what follows a command or a button's verb, or what was typed
	messageID int    // the message whose button was pressed; 0: the person wrote, or it cannot be edited
	pressID   string // the button press to be answered
	dialogue  *dialogue.Dialogue
	isOver    bool // the dialogue has done its work, or cannot go on
}

// key is an idempotency key for what one update does once.
func (r *request) key(what string) string { return fmt.Sprintf("u%d:%s", r.updateID, what) }

// purchase is the purchase that a button carries.
func (r *request) purchase() (atlas.PurchaseID, error) {
	id, err := atlas.ParsePurchaseID(r.argument)
	if err != nil {
		return "", errOldButton
	}
	return id, nil
}

// isAt says whether the person is at a step of a dialogue.
func (r *request) isAt(at step) bool {
	return r.dialogue != nil && r.dialogue.Kind == at.kind && r.dialogue.Step == at.name
}

// draft is the drafted withdrawal that a button carries.
func (r *request) draft() (atlas.DraftID, error) {
	id, err := atlas.ParseDraftID(r.argument)
	if err != nil {
		return "", errOldButton
	}
	return id, nil
}

// setLanguage turns to another language.
func (b *Bot) setLanguage(r *request, language atlas.Language) {
	r.language, r.text = language, b.Texts.In(language)
}

// newRequest starts with what the update itself says of a person.
func (b *Bot) newRequest(u sqlapi.ClaimedUpdate, from *telego.User) *request {
	r := &request{
		updateID: u.UpdateID, attempt: u.Attempt, user: atlas.TelegramID(from.ID), name: displayName(from), from: from,
	}
	if u.ChatID == from.ID && u.Language != "" { // when it was claimed, all that the person wrote before was handled
		r.isMet, r.isReachable = true, u.IsReachable
		b.setLanguage(r, u.Language)
		return r
	}
	b.setLanguage(r, b.guessLanguage(from.LanguageCode))
	return r
}

// meet fills in what the database knows of the person, and registers who has not been here yet.
func (b *Bot) meet(ctx context.Context, r *request) error {
	if !r.isMet {
		profile, err := b.DB.Account.Profile(ctx, r.user)
		if errors.Is(err, atlas.ErrNoSuchUser) {
			_, err = b.register(ctx, r, "")
			return err
		}
		if err != nil {
			return fmt.Errorf("reading the profile: %w", err)
		}
		r.isReachable = profile.IsReachable
		b.setLanguage(r, profile.Language)
	}
	if !r.isReachable { // whoever writes can be written to
		if err := b.DB.Account.SetReachable(ctx, r.user, true); err != nil {
			return fmt.Errorf("noting that the user is back: %w", err)
		}
	}
	return nil
}

// register makes the person known. The payload is what came with /start.
func (b *Bot) register(ctx context.Context, r *request, payload string) (sqlapi.Registration, error) {
	registration, err := b.DB.Account.Register(ctx, sqlapi.RegisterParams{
		TelegramID:   r.user,
		Username:     r.from.Username,
		Language:     string(b.guessLanguage(r.from.LanguageCode)),
		StartPayload: startPayload(payload),
	})
	if err != nil {
		return registration, fmt.Errorf("registering: %w", err)
	}
	b.setLanguage(r, registration.Language)
	return registration, nil
}

// russianSpeaking are the languages whose speakers are first spoken to in Russian.
var russianSpeaking = map[string]bool{"ru": true, "be": true, "uk": true, "kk": true, "ky": true, "uz": true, "tg": true}

// guessLanguage is the language to begin in, by the one that Telegram itself is set to.
func (b *Bot) guessLanguage(code string) atlas.Language {
	code, _, _ = strings.Cut(strings.ToLower(code), "-")
	switch {
	case b.Texts.Has(atlas.Language(code)):
		return atlas.Language(code)
	case code == "" || russianSpeaking[code]:
		return i18n.Canonical
	default:
		return atlas.English
	}
}

// maxPayload is Telegram's limit for what follows /start.
const maxPayload = 64

// startPayload drops what cannot come from a link (64 of A-Z a-z 0-9 _ -), but was typed.
func startPayload(text string) string {
	if len(text) > maxPayload {
		return ""
	}
	for _, c := range text {
		if c != '_' && c != '-' && (c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c)) {
			return ""
		}
	}
	return text
}

// maxName keeps a hostile name from filling the screen.
const maxName = 40

// displayName is what to call a person: the first name, on one line, without characters that turn the text around.
func displayName(from *telego.User) string {
	name := strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case !unicode.IsPrint(c):
			return -1
		}
		return c
	}, strings.ToValidUTF8(from.FirstName, ""))
	name = strings.TrimSpace(name)
	if utf8.RuneCountInString(name) > maxName {
		name = string([]rune(name)[:maxName]) + "…"
	}
	return name
}
