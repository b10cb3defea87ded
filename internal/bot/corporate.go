package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// The dialogue CorporateRequest.
var (
	corporateDialogue = dialogue.Kind{Name: "corporate", Version: 1}
	corporateCompany  = step{kind: corporateDialogue, name: "company"}
	corporateContact  = step{kind: corporateDialogue, name: "contact"}
	corporateConfirm  = step{kind: corporateDialogue, name: "confirm"}
)

// corporateDraft is what the dialogue remembers. No money depends on it: what is sent is what was shown last.
type corporateDraft struct {
	UpdateID int64  `json:"update_id"` // what brought the person to this step; the confirm button carries it
	Company  string `json:"company,omitempty"`
	Contact  string `json:"contact,omitempty"`
}

// corporateRoutes is the dialogue and what leads to it.
func (b *Bot) corporateRoutes() []route {
	return []route{
		{verb: screen.VerbCorporate, handle: b.corporate},
		{verb: screen.VerbCorporateTake, handle: b.corporateTake},
		{verb: screen.VerbCorporateAsk, handle: b.corporateAsk},
		{step: corporateCompany, handle: b.corporateCompanyTyped},
		{step: corporateContact, handle: b.corporateContactTyped},
		{step: corporateConfirm, handle: b.corporateWaits},
		{verb: screen.VerbCorporateSend, step: corporateConfirm, handle: b.corporateSend},
	}
}

// corporate shows the request that waits, or what corporate access is and what asking for it means.
func (b *Bot) corporate(ctx context.Context, r *request) (screen.Screen, error) {
	latest, err := b.DB.Account.LatestCorporate(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the corporate request: %w", err)
	}
	return screen.Corporate(r.text, latest), nil
}

// corporateTake takes the request back.
func (b *Bot) corporateTake(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := strconv.ParseInt(r.argument, 10, 64)
	if err != nil || id < 1 {
		return screen.Screen{}, errOldButton
	}
	err = b.DB.Account.CancelCorporate(ctx, r.user, id)
	if err != nil && !errors.Is(err, atlas.ErrRequestIsClosed) { // an admin was faster: the screen says so
		return screen.Screen{}, fmt.Errorf("taking a corporate request back: %w", err)
	}
	s, err := b.corporate(ctx, r)
	s.Toast = r.text.Plain("alert.cancelled")
	return s, err
}

// corporateAsk begins the dialogue: pressing the button is the consent.
func (b *Bot) corporateAsk(ctx context.Context, r *request) (screen.Screen, error) {
	err := b.Dialogues.Begin(ctx, int64(r.user), corporateDialogue, corporateCompany.name, corporateDraft{UpdateID: r.updateID})
	if err != nil {
		b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
		return screen.CannotAsk(r.text, screen.VerbCorporate), nil
	}
	return screen.AskCompany(r.text, false), nil
}

func (b *Bot) corporateCompanyTyped(ctx context.Context, r *request) (screen.Screen, error) {
	company, ok := aboutThemselves(r.argument)
	if !ok {
		return screen.AskCompany(r.text, true), nil
	}
	if err := b.advance(ctx, r, corporateContact, corporateDraft{UpdateID: r.updateID, Company: company}); err != nil {
		return screen.Screen{}, err
	}
	return screen.AskContact(r.text, false), nil
}

func (b *Bot) corporateContactTyped(ctx context.Context, r *request) (screen.Screen, error) {
	asked, err := corporateDraftOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	if asked.UpdateID == r.updateID { // the company once more: the screen that asks for the contact was not seen
		return screen.AskContact(r.text, false), nil
	}
	var ok bool
	if asked.Contact, ok = aboutThemselves(r.argument); !ok {
		return screen.AskContact(r.text, true), nil
	}
	asked.UpdateID = r.updateID
	if err := b.advance(ctx, r, corporateConfirm, asked); err != nil {
		return screen.Screen{}, err
	}
	return drawCorporate(r, asked), nil
}

// corporateSend sends what the pressed screen shows. Two devices press one button, and so send one request.
func (b *Bot) corporateSend(ctx context.Context, r *request) (screen.Screen, error) {
	shown, err := strconv.ParseInt(r.argument, 10, 64)
	if err != nil || shown < 1 {
		return screen.Screen{}, errOldButton
	}
	if !r.isAt(corporateConfirm) {
		return b.corporateStands(ctx, r)
	}
	asked, err := corporateDraftOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	if asked.UpdateID != shown {
		return drawCorporate(r, asked), nil
	}
	if r.attempt == 1 { // a later one may find that the first has done it
		if err := b.attempt(ctx, r, limit.Corporate); err != nil {
			return screen.Screen{}, err
		}
	}
	err = b.DB.Account.RequestCorporate(ctx, sqlapi.CorporateParams{
		TelegramID: r.user, Company: asked.Company, Contact: asked.Contact, Key: fmt.Sprintf("u%d:corporate", shown),
	})
	if err != nil && !errors.Is(err, atlas.ErrRequestIsOpen) {
		return screen.Screen{}, fmt.Errorf("asking for corporate access: %w", err)
	}
	r.isOver = true
	s, drawErr := b.corporate(ctx, r)
	if err == nil {
		s.Toast = r.text.Plain("alert.corporate_sent")
	}
	return s, drawErr
}

// corporateWaits answers words where a button is waited for: with the screen that has it.
func (b *Bot) corporateWaits(_ context.Context, r *request) (screen.Screen, error) {
	asked, err := corporateDraftOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	return drawCorporate(r, asked), nil
}

// corporateStands answers a confirmation that nothing is asked for any more: it was sent, or the dialogue is lost.
func (b *Bot) corporateStands(ctx context.Context, r *request) (screen.Screen, error) {
	if r.dialogue != nil { // at another question of the same dialogue
		r.isOver = true
		return screen.StartAgain(r.text), nil
	}
	return b.corporate(ctx, r)
}

func drawCorporate(r *request, asked corporateDraft) screen.Screen {
	return screen.ConfirmCorporate(r.text, asked.Company, asked.Contact, strconv.FormatInt(asked.UpdateID, 10))
}

func corporateDraftOf(r *request) (corporateDraft, error) {
	var asked corporateDraft
	if err := r.dialogue.Draft(&asked); err != nil {
		return asked, fmt.Errorf("reading the dialogue: %w", err)
	}
	return asked, nil
}

// What people may type about themselves, in characters: what the database takes.
const (
	shortestWords = 2
	longestWords  = 200
)

// aboutThemselves is what somebody typed, on one line; false if it is too short or long, or has what does not print.
func aboutThemselves(text string) (string, bool) {
	text = strings.Join(strings.Fields(text), " ")
	for _, c := range text {
		if !unicode.IsPrint(c) {
			return "", false
		}
	}
	length := utf8.RuneCountInString(text)
	return text, utf8.ValidString(text) && length >= shortestWords && length <= longestWords
}
