package bot

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// The dialogue IncidentEdit: the text in Russian, the text in English or the same once more, and a preview to confirm.
var (
	incidentDialogue = adminKind("incident")
	incidentRu       = step{kind: incidentDialogue, name: "ru"}
	incidentEn       = step{kind: incidentDialogue, name: "en"}
	incidentConfirm  = step{kind: incidentDialogue, name: "confirm"} // from here on there is a draft in the database
)

// incidentAction names drafts of incidents.
const incidentAction = "incident"

// maxIncident is what the database takes of one text, in characters.
const maxIncident = 1000

// incidentAsked is what the dialogue remembers.
type incidentAsked struct {
	UpdateID int64         `json:"update_id"` // what brought the admin to this step: its repeat is no answer to the next
	TextRu   string        `json:"text_ru,omitempty"`
	DraftID  atlas.DraftID `json:"draft_id,omitempty"`
}

// incident shows what people are told, and by whom.
func (b *Bot) incident(ctx context.Context, r *request) (screen.Screen, error) {
	now, err := b.DB.Ops.ShowIncident(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the incident: %w", err)
	}
	return screen.Incident(r.text, now), nil
}

// incidentAsk begins the dialogue.
func (b *Bot) incidentAsk(ctx context.Context, r *request) (screen.Screen, error) {
	return b.ask(ctx, r, incidentRu, incidentAsked{UpdateID: r.updateID}, screen.AskIncident(r.text, screen.IncidentInRussian),
		screen.VerbIncident)
}

func (b *Bot) incidentRuTyped(ctx context.Context, r *request) (screen.Screen, error) {
	text, isText := plainText(r.argument, maxIncident)
	if !isText {
		return screen.AskIncident(r.text, screen.IncidentNoRussian), nil
	}
	if err := b.advance(ctx, r, incidentEn, incidentAsked{UpdateID: r.updateID, TextRu: text}); err != nil {
		return screen.Screen{}, err
	}
	return screen.AskIncident(r.text, screen.IncidentInEnglish), nil
}

func (b *Bot) incidentEnTyped(ctx context.Context, r *request) (screen.Screen, error) {
	asked, err := incidentAskedOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	if asked.UpdateID == r.updateID { // the first text once more: the screen that asks for the second was not seen
		return screen.AskIncident(r.text, screen.IncidentInEnglish), nil
	}
	text, isText := plainText(r.argument, maxIncident)
	if !isText {
		return screen.AskIncident(r.text, screen.IncidentNoEnglish), nil
	}
	return b.incidentToConfirm(ctx, r, sqlapi.IncidentTexts{IsOn: true, TextRu: asked.TextRu, TextEn: text})
}

// incidentSame takes the text in Russian for everybody.
func (b *Bot) incidentSame(ctx context.Context, r *request) (screen.Screen, error) {
	if !r.isAt(incidentEn) {
		return b.incidentStands(ctx, r)
	}
	asked, err := incidentAskedOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.incidentToConfirm(ctx, r, sqlapi.IncidentTexts{IsOn: true, TextRu: asked.TextRu, TextEn: asked.TextRu})
}

// incidentToConfirm leaves the texts with the database and asks to confirm them.
func (b *Bot) incidentToConfirm(ctx context.Context, r *request, texts sqlapi.IncidentTexts) (screen.Screen, error) {
	id, err := b.awaitConfirm(ctx, r, incidentConfirm, incidentAction, texts)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawIncidentDraft(ctx, r, id)
}

// incidentWaits answers words where a button is waited for.
func (b *Bot) incidentWaits(ctx context.Context, r *request) (screen.Screen, error) {
	return b.incidentStands(ctx, r)
}

// incidentStands shows where the dialogue stands when something else was expected of it.
func (b *Bot) incidentStands(ctx context.Context, r *request) (screen.Screen, error) {
	asked, err := incidentAskedOf(r)
	switch {
	case err == nil && r.isAt(incidentConfirm):
		return b.drawIncidentDraft(ctx, r, asked.DraftID)
	case err == nil && r.isAt(incidentRu):
		return screen.AskIncident(r.text, screen.IncidentInRussian), nil
	}
	r.isOver = true
	return b.incident(ctx, r)
}

// incidentAgain asks to confirm the texts of the last time.
func (b *Bot) incidentAgain(ctx context.Context, r *request) (screen.Screen, error) {
	last, err := b.DB.Ops.ShowIncident(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the incident: %w", err)
	}
	if last.IsOn || last.TextRu == "" {
		return screen.Incident(r.text, last), nil
	}
	return b.draftIncident(ctx, r, sqlapi.IncidentTexts{IsOn: true, TextRu: last.TextRu, TextEn: last.TextEn})
}

// incidentEnd asks whether the incident is over.
func (b *Bot) incidentEnd(ctx context.Context, r *request) (screen.Screen, error) {
	return b.draftIncident(ctx, r, sqlapi.IncidentTexts{})
}

func (b *Bot) draftIncident(ctx context.Context, r *request, texts sqlapi.IncidentTexts) (screen.Screen, error) {
	drafted, err := b.draftAction(ctx, r, incidentAction, texts)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawIncidentDraft(ctx, r, drafted.DraftID)
}

// drawIncidentDraft draws the confirm screen from the draft itself.
func (b *Bot) drawIncidentDraft(ctx context.Context, r *request, id atlas.DraftID) (screen.Screen, error) {
	var texts sqlapi.IncidentTexts
	isLate, err := b.readAction(ctx, r, id, incidentAction, &texts)
	switch {
	case err != nil:
		return screen.Screen{}, err
	case isLate:
		return screen.Screen{}, errDraftOver
	}
	return screen.ConfirmIncident(r.text, b.Texts, texts, id), nil
}

// incidentConfirmed does what the draft says.
func (b *Bot) incidentConfirmed(ctx context.Context, r *request) (screen.Screen, error) {
	var texts sqlapi.IncidentTexts
	key, err := b.confirmed(ctx, r, incidentAction, &texts)
	if err != nil {
		return screen.Screen{}, err
	}
	isReplay, err := b.DB.Ops.SetIncident(ctx, r.user, texts, key)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("setting the incident: %w", err)
	}
	b.banners.forget()
	r.isOver = true
	s, err := b.incident(ctx, r)
	s.Toast = screen.IncidentSet(r.text, texts.IsOn, isReplay)
	return s, err
}

// broadcastIncident begins a broadcast about the incident: what people see above their screens becomes its text. Once it is
// over, its text is asked for: that one says that something is broken.
func (b *Bot) broadcastIncident(ctx context.Context, r *request) (screen.Screen, error) {
	now, err := b.DB.Ops.ShowIncident(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the incident: %w", err)
	}
	if now.SetAt == nil || now.TextRu == "" {
		return screen.Incident(r.text, now), nil
	}
	text := now.TextRu
	if now.TextEn != now.TextRu {
		text += "\n\n" + now.TextEn
	}
	known := broadcastDraft{Kind: "maintenance", Title: r.text.Plain("word.bc_incident_over")}
	first := broadcastTextOne
	if now.IsOn {
		known.Title, known.TextA, first = r.text.Plain("word.bc_incident"), text, broadcastSegment
	}
	question := screen.AskIncidentBroadcast(r.text, screen.BroadcastAsk(first.name), now.IsOn, text)
	return b.beginBroadcast(ctx, r, first, known, question)
}

func incidentAskedOf(r *request) (incidentAsked, error) {
	var asked incidentAsked
	if r.dialogue == nil {
		return asked, errOldButton
	}
	if err := r.dialogue.Draft(&asked); err != nil {
		return asked, fmt.Errorf("reading the dialogue: %w", err)
	}
	return asked, nil
}

// plainText takes what was typed as a text of several lines: without what cannot be seen, and of 1 to so many characters.
func plainText(typed string, most int) (text string, isText bool) {
	text = strings.TrimSpace(strings.Map(func(c rune) rune {
		if c != '\n' && !unicode.IsPrint(c) && !unicode.Is(unicode.Join_Control, c) { // joiners hold emoji together
			if unicode.IsSpace(c) {
				return ' '
			}
			return -1
		}
		return c
	}, strings.ToValidUTF8(typed, "")))
	length := utf8.RuneCountInString(text)
	return text, length >= 1 && length <= most
}
