package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// The dialogues that write to many: the whole one, and the short cut to people without a subscription.
var (
	broadcastDialogue = dialogue.Kind{Name: "broadcast", Version: 1}
	broadcastTitle    = step{kind: broadcastDialogue, name: string(screen.BroadcastTitle)}
	broadcastKind     = step{kind: broadcastDialogue, name: string(screen.BroadcastKind)}
	broadcastTexts    = step{kind: broadcastDialogue, name: string(screen.BroadcastTexts)}
	broadcastTextOne  = step{kind: broadcastDialogue, name: string(screen.BroadcastTextOne)}
	broadcastTextA    = step{kind: broadcastDialogue, name: string(screen.BroadcastTextA)}
	broadcastTextB    = step{kind: broadcastDialogue, name: string(screen.BroadcastTextB)}
	broadcastSegment  = step{kind: broadcastDialogue, name: string(screen.BroadcastSegment)}
	broadcastWritten  = step{kind: broadcastDialogue, name: "written"} // it is in the database: another press shows it again
	broadcastWhen     = step{kind: broadcastDialogue, name: "when"}    // the broadcast is in the database by then

	broadcastOfferDialogue = dialogue.Kind{Name: "broadcast_offer", Version: 1}
	broadcastOfferText     = step{kind: broadcastOfferDialogue, name: string(screen.BroadcastText)}
	broadcastOfferButton   = step{kind: broadcastOfferDialogue, name: string(screen.BroadcastOffer)}
	broadcastOfferWritten  = step{kind: broadcastOfferDialogue, name: "written"}
)

// broadcastWriteRoutes is how admins write a broadcast and say when it begins.
func (b *Bot) broadcastWriteRoutes() []route {
	return []route{
		{verb: screen.VerbBroadcastNew, handle: b.broadcastNew},
		{step: broadcastTitle, handle: b.broadcastTyped},
		{step: broadcastKind, handle: b.broadcastWaits},
		{verb: screen.VerbBroadcastKind, step: broadcastKind, handle: b.broadcastChosen},
		{step: broadcastTexts, handle: b.broadcastWaits},
		{verb: screen.VerbBroadcastTexts, step: broadcastTexts, handle: b.broadcastChosen},
		{step: broadcastTextOne, handle: b.broadcastTyped},
		{step: broadcastTextA, handle: b.broadcastTyped},
		{step: broadcastTextB, handle: b.broadcastTyped},
		{step: broadcastSegment, handle: b.broadcastWaits},
		{verb: screen.VerbBroadcastSegment, step: broadcastSegment, handle: b.broadcastChosen},
		{step: broadcastWritten, handle: b.broadcastWaits},

		{verb: screen.VerbBroadcastOffer, handle: b.broadcastOffer},
		{step: broadcastOfferText, handle: b.broadcastTyped},
		{step: broadcastOfferButton, handle: b.broadcastWaits},
		{verb: screen.VerbBroadcastOfferKind, step: broadcastOfferButton, handle: b.broadcastChosen},
		{step: broadcastOfferWritten, handle: b.broadcastWaits},

		{verb: screen.VerbBroadcastWhen, handle: b.broadcastAskWhen},
		{step: broadcastWhen, handle: b.broadcastWhenTyped},
		{verb: screen.VerbBroadcastIn, handle: b.broadcastIn},
		{verb: screen.VerbBroadcastLaunch, handle: b.broadcastLaunch},
	}
}

// broadcastDraft is what the dialogue remembers until all of it is in the database.
type broadcastDraft struct {
	UpdateID    int64  `json:"update_id"` // what brought the admin to this step: its repeat is no answer to the next
	Title       string `json:"title,omitempty"`
	Kind        string `json:"kind,omitempty"`
	TextA       string `json:"text_a,omitempty"`
	TextB       string `json:"text_b,omitempty"`
	BroadcastID int64  `json:"broadcast_id,omitempty"` // once it is written
}

func (b *Bot) broadcastNew(ctx context.Context, r *request) (screen.Screen, error) {
	if r.argument == screen.AboutIncident {
		return b.broadcastIncident(ctx, r)
	}
	return b.beginBroadcast(ctx, r, broadcastTitle, broadcastDraft{}, screen.AskBroadcast(r.text, screen.BroadcastTitle, false))
}

func (b *Bot) broadcastOffer(ctx context.Context, r *request) (screen.Screen, error) {
	return b.beginBroadcast(ctx, r, broadcastOfferText, broadcastDraft{}, screen.AskBroadcast(r.text, screen.BroadcastText, false))
}

// beginBroadcast begins a dialogue at a step, with what is known already and the screen that asks for the rest.
func (b *Bot) beginBroadcast(
	ctx context.Context, r *request, first step, known broadcastDraft, question screen.Screen,
) (screen.Screen, error) {
	known.UpdateID = r.updateID
	err := b.Dialogues.Begin(ctx, int64(r.user), first.kind, first.name, known)
	if err != nil {
		b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
		return screen.CannotAsk(r.text, screen.VerbBroadcasts), nil
	}
	return question, nil
}

// broadcastTyped takes a title or a text.
func (b *Bot) broadcastTyped(ctx context.Context, r *request) (screen.Screen, error) {
	var asked broadcastDraft
	if err := r.dialogue.Draft(&asked); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	if asked.UpdateID == r.updateID { // the answer before this one once more: the question was not seen
		return b.broadcastWaits(ctx, r)
	}
	text := strings.TrimSpace(r.argument)
	fits := isBroadcastText
	if r.isAt(broadcastTitle) {
		fits = isBroadcastTitle
	}
	if !fits(text) {
		return screen.AskBroadcast(r.text, screen.BroadcastAsk(r.dialogue.Step), true), nil
	}
	next := broadcastSegment
	switch {
	case r.isAt(broadcastTitle):
		asked.Title, next = text, broadcastKind
	case r.isAt(broadcastTextB):
		asked.TextB = text
	case r.isAt(broadcastOfferText):
		asked.TextA, next = text, broadcastOfferButton
	case r.isAt(broadcastTextA):
		asked.TextA, next = text, broadcastTextB
	default:
		asked.TextA = text
	}
	return b.broadcastGoOn(ctx, r, next, asked)
}

// broadcastChosen takes an answer that a button gives. Who does not stand at its question sees the one that they stand at.
func (b *Bot) broadcastChosen(ctx context.Context, r *request) (screen.Screen, error) {
	if r.dialogue == nil {
		return screen.StartAgain(r.text), nil
	}
	var asked broadcastDraft
	if err := r.dialogue.Draft(&asked); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	is := func(at step, verb screen.Verb, options []string) bool {
		return r.isAt(at) && r.operation == string(verb) && slices.Contains(options, r.argument)
	}
	switch {
	case is(broadcastKind, screen.VerbBroadcastKind, screen.BroadcastKinds):
		asked.Kind = r.argument
		return b.broadcastGoOn(ctx, r, broadcastTexts, asked)
	case is(broadcastTexts, screen.VerbBroadcastTexts, screen.BroadcastTextsOf):
		next := broadcastTextOne
		if r.argument == "ab" {
			next = broadcastTextA
		}
		return b.broadcastGoOn(ctx, r, next, asked)
	case is(broadcastSegment, screen.VerbBroadcastSegment, screen.BroadcastSegments):
		return b.composeBroadcast(ctx, r, broadcastWritten, asked, sqlapi.ComposeParams{Segment: r.argument})
	case is(broadcastOfferButton, screen.VerbBroadcastOfferKind, screen.BroadcastOffers):
		asked.Title, asked.Kind = r.text.Plain("word.bc_offer_title"), "promo"
		return b.composeBroadcast(ctx, r, broadcastOfferWritten, asked, sqlapi.ComposeParams{Segment: "no_subscription", Offer: r.argument})
	}
	return b.broadcastWaits(ctx, r)
}

// broadcastGoOn moves to the next question and asks it.
func (b *Bot) broadcastGoOn(ctx context.Context, r *request, next step, draft broadcastDraft) (screen.Screen, error) {
	draft.UpdateID = r.updateID
	if err := b.advance(ctx, r, next, draft); err != nil {
		return screen.Screen{}, err
	}
	return screen.AskBroadcast(r.text, screen.BroadcastAsk(next.name), false), nil
}

// broadcastWaits shows again what the admin stands at: something else was expected, or another device was faster.
func (b *Bot) broadcastWaits(ctx context.Context, r *request) (screen.Screen, error) {
	switch {
	case r.isAt(broadcastWhen):
		return b.broadcastWhenTyped(ctx, r)
	case r.isAt(broadcastWritten), r.isAt(broadcastOfferWritten):
		var written broadcastDraft
		if err := r.dialogue.Draft(&written); err != nil {
			return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
		}
		return b.broadcastPreview(ctx, r, written.BroadcastID)
	}
	return screen.AskBroadcast(r.text, screen.BroadcastAsk(r.dialogue.Step), false), nil
}

// composeBroadcast leaves what was gathered with the database, once, and shows it as people will see it. The key is the
// answer before the last one: of two devices that give the last one at once, one writes the broadcast.
func (b *Bot) composeBroadcast(
	ctx context.Context, r *request, written step, asked broadcastDraft, p sqlapi.ComposeParams,
) (screen.Screen, error) {
	p.AdminID, p.Title, p.Kind, p.TextA, p.TextB = r.user, asked.Title, asked.Kind, asked.TextA, asked.TextB
	p.Key = fmt.Sprintf("u%d:broadcast", asked.UpdateID)
	composed, err := b.DB.Broadcast.Compose(ctx, p)
	switch {
	case errors.Is(err, atlas.ErrKeyReused): // the other device has given another answer, and is about to move on
		return screen.Screen{}, fmt.Errorf("%w: %w", dialogue.ErrMoved, err)
	case err != nil:
		return screen.Screen{}, fmt.Errorf("keeping a broadcast: %w", err)
	}
	if err := b.advance(ctx, r, written, broadcastDraft{UpdateID: r.updateID, BroadcastID: composed.BroadcastID}); err != nil {
		return screen.Screen{}, err
	}
	return b.broadcastPreview(ctx, r, composed.BroadcastID)
}

func (b *Bot) broadcastPreview(ctx context.Context, r *request, id int64) (screen.Screen, error) {
	shown, err := b.showBroadcast(ctx, r, id)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.BroadcastPreview(r.text, shown, "a"), nil
}

// maxBroadcastTitle is the database's limit, in characters.
const maxBroadcastTitle = 128

func isBroadcastTitle(text string) bool {
	return strings.ContainsFunc(text, isSeen) && len([]rune(text)) <= maxBroadcastTitle &&
		!strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

// isBroadcastText says whether Telegram takes a text as one message. It counts in UTF-16, where most emoji are two.
func isBroadcastText(text string) bool {
	return strings.ContainsFunc(text, isSeen) && len(utf16.Encode([]rune(text))) <= screen.MaxText &&
		!strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' })
}

// isSeen says whether a character leaves a mark: Telegram refuses a message without any.
func isSeen(c rune) bool { return unicode.IsGraphic(c) && !unicode.IsSpace(c) }
