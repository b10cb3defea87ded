package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
)

// Dialogues about promo codes that there are: which one is looked for, and how often one can be used from now on.
var (
	promoFindDialogue  = adminKind("promo_find")
	promoFindCode      = step{kind: promoFindDialogue, name: "code"}
	promoLimitDialogue = adminKind("promo_limit")
	promoLimitUses     = step{kind: promoLimitDialogue, name: "uses"}
	promoLimitConfirm  = step{kind: promoLimitDialogue, name: "confirm"}
)

// The names of drafts about promo codes that there are.
const (
	promoOffAction   = "promo_off"
	promoLimitAction = "promo_limit"
)

// mostUses is the largest limit that the database takes.
const mostUses = 1_000_000

// promoChange is what is to become of a code. MaxUses 0 is no limit.
type promoChange struct {
	PromoID int64  `json:"promo_id"`
	Code    string `json:"code"`
	MaxUses int    `json:"max_uses,omitempty"`
}

// promoLimitAsked is what the dialogue of a limit remembers.
type promoLimitAsked struct {
	asked
	PromoID int64 `json:"promo_id,omitempty"`
}

// promos lists the codes that can be used now.
func (b *Bot) promos(ctx context.Context, r *request) (screen.Screen, error) {
	return b.listPromos(ctx, r, true)
}

// promosOver lists the others.
func (b *Bot) promosOver(ctx context.Context, r *request) (screen.Screen, error) {
	return b.listPromos(ctx, r, false)
}

func (b *Bot) listPromos(ctx context.Context, r *request, isUsable bool) (screen.Screen, error) {
	before, err := r.number(true)
	if err != nil {
		return screen.Screen{}, err
	}
	codes, err := b.DB.Promo.List(ctx, r.user, isUsable, before, pageSize+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading promo codes: %w", err)
	}
	return screen.Promos(r.text, screen.PageOf(codes, pageSize, before == 0), isUsable), nil
}

// promoCard shows one code.
func (b *Bot) promoCard(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawPromoCard(ctx, r, id)
}

func (b *Bot) drawPromoCard(ctx context.Context, r *request, id int64) (screen.Screen, error) {
	card, err := b.DB.Promo.Card(ctx, r.user, id)
	switch {
	case errors.Is(err, atlas.ErrNoSuchPromo):
		return screen.NoSuchPromo(r.text), nil
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a promo code: %w", err)
	}
	return screen.PromoCard(r.text, card), nil
}

// promoFind asks which code to look for.
func (b *Bot) promoFind(ctx context.Context, r *request) (screen.Screen, error) {
	return b.ask(ctx, r, promoFindCode, asked{UpdateID: r.updateID}, screen.AskPromoToFind(r.text, false), screen.VerbPromos)
}

func (b *Bot) promoFindTyped(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := b.DB.Promo.Find(ctx, r.user, withoutNUL(r.argument))
	switch {
	case errors.Is(err, atlas.ErrNoSuchPromo), errors.Is(err, atlas.ErrPromoMalformed):
		return screen.AskPromoToFind(r.text, true), nil
	case err != nil:
		return screen.Screen{}, fmt.Errorf("looking for a promo code: %w", err)
	}
	r.isOver = true
	return b.drawPromoCard(ctx, r, id)
}

// withoutNUL makes what was typed fit for the database to refuse.
func withoutNUL(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
}

// promoOff asks whether a code is to be switched off.
func (b *Bot) promoOff(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	card, err := b.DB.Promo.Card(ctx, r.user, id)
	switch {
	case errors.Is(err, atlas.ErrNoSuchPromo):
		return screen.NoSuchPromo(r.text), nil
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a promo code: %w", err)
	case !card.IsActive:
		return screen.PromoCard(r.text, card), nil
	}
	drafted, err := b.draftAction(ctx, r, promoOffAction, promoChange{PromoID: id, Code: card.Code})
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.AskPromoOff(r.text, card, drafted.DraftID), nil
}

// promoOffConfirmed switches it off. Who was first is on the card.
func (b *Bot) promoOffConfirmed(ctx context.Context, r *request) (screen.Screen, error) {
	var change promoChange
	if _, err := b.confirmed(ctx, r, promoOffAction, &change); err != nil {
		return screen.Screen{}, err
	}
	isReplay, err := b.DB.Promo.Disable(ctx, r.user, change.Code)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("switching a promo code off: %w", err)
	}
	s, err := b.drawPromoCard(ctx, r, change.PromoID)
	s.Toast = screen.PromoSwitchedOff(r.text, isReplay)
	return s, err
}

// promoLimit asks how often a code can be used in all.
func (b *Bot) promoLimit(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	card, err := b.DB.Promo.Card(ctx, r.user, id)
	switch {
	case errors.Is(err, atlas.ErrNoSuchPromo):
		return screen.NoSuchPromo(r.text), nil
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a promo code: %w", err)
	}
	return b.ask(ctx, r, promoLimitUses, promoLimitAsked{asked: asked{UpdateID: r.updateID}, PromoID: id},
		screen.AskPromoLimit(r.text, card, screen.PromoLimitAsked), screen.VerbPromos)
}

// promoLimitTyped takes the limit. Whether it is above what is taken is the database's to say, when it is confirmed; a
// limit that is too low already is refused here, so that nobody confirms what cannot be.
func (b *Bot) promoLimitTyped(ctx context.Context, r *request) (screen.Screen, error) {
	uses, isNumber := wholeNumber(r.argument, mostUses)
	return b.promoLimitGiven(ctx, r, uses, isNumber)
}

// promoLimitNone is the answer that there is no limit.
func (b *Bot) promoLimitNone(ctx context.Context, r *request) (screen.Screen, error) {
	if !r.isAt(promoLimitUses) {
		return b.promoLimitStands(ctx, r)
	}
	return b.promoLimitGiven(ctx, r, 0, true)
}

func (b *Bot) promoLimitGiven(ctx context.Context, r *request, uses int, isNumber bool) (screen.Screen, error) {
	var at promoLimitAsked
	if err := r.dialogue.Draft(&at); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	card, err := b.DB.Promo.Card(ctx, r.user, at.PromoID)
	switch {
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a promo code: %w", err)
	case !isNumber:
		return screen.AskPromoLimit(r.text, card, screen.PromoLimitNoNumber), nil
	case uses > 0 && int64(uses) < card.Uses:
		return screen.AskPromoLimit(r.text, card, screen.PromoLimitTooLow), nil
	}
	change := promoChange{PromoID: card.PromoID, Code: card.Code, MaxUses: uses}
	id, err := b.awaitConfirm(ctx, r, promoLimitConfirm, promoLimitAction, change)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.ConfirmPromoLimit(r.text, card, uses, id), nil
}

// promoLimitStands shows where the dialogue stands when something else was expected of it.
func (b *Bot) promoLimitStands(ctx context.Context, r *request) (screen.Screen, error) {
	if !r.isAt(promoLimitConfirm) {
		r.isOver = true
		return screen.StartAgain(r.text), nil
	}
	var at asked
	if err := r.dialogue.Draft(&at); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	var change promoChange
	isLate, err := b.readAction(ctx, r, at.DraftID, promoLimitAction, &change)
	switch {
	case err != nil:
		return screen.Screen{}, err
	case isLate:
		return screen.Screen{}, errDraftOver
	}
	card, err := b.DB.Promo.Card(ctx, r.user, change.PromoID)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a promo code: %w", err)
	}
	return screen.ConfirmPromoLimit(r.text, card, change.MaxUses, at.DraftID), nil
}

// promoLimitConfirmed sets the limit.
func (b *Bot) promoLimitConfirmed(ctx context.Context, r *request) (screen.Screen, error) {
	var change promoChange
	if _, err := b.confirmed(ctx, r, promoLimitAction, &change); err != nil {
		return screen.Screen{}, err
	}
	isReplay, err := b.DB.Promo.SetLimit(ctx, r.user, change.Code, change.MaxUses)
	isTooLow := errors.Is(err, atlas.ErrPromoUsedUp) // some were taken since it was asked for
	if err != nil && !isTooLow {
		return screen.Screen{}, fmt.Errorf("setting a promo code's limit: %w", err)
	}
	r.isOver = true
	s, err := b.drawPromoCard(ctx, r, change.PromoID)
	s.Toast = screen.PromoLimitSet(r.text, isReplay, isTooLow)
	return s, err
}

// wholeNumber reads a number from 1 to the most, as people type it.
func wholeNumber(text string, most int) (number int, isOne bool) {
	number, err := strconv.Atoi(strings.Join(strings.Fields(text), ""))
	return number, err == nil && number >= 1 && number <= most
}
