package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// The dialogue AdminCreatePromo: one code, or many generated ones with the same terms.
var (
	promoNewDialogue = adminKind("promo_new")
	promoNewCode     = step{kind: promoNewDialogue, name: "code"}  // of one; a button has it generated
	promoNewCount    = step{kind: promoNewDialogue, name: "count"} // of many
	promoNewPercent  = step{kind: promoNewDialogue, name: "percent"}
	promoNewUnit     = step{kind: promoNewDialogue, name: "unit"}
	promoNewValue    = step{kind: promoNewDialogue, name: "value"}
	promoNewUses     = step{kind: promoNewDialogue, name: "uses"}
	promoNewPerUser  = step{kind: promoNewDialogue, name: "per_user"}
	promoNewConfirm  = step{kind: promoNewDialogue, name: "confirm"}
)

// promoNewAction names drafts of new codes.
const promoNewAction = "promo_new"

// What the database takes.
const (
	mostCodes   = 100
	mostPercent = 100
	mostPerUser = 1000
)

// mostOf is the longest time of each unit that makes sense.
var mostOf = map[screen.PromoUnit]int{screen.Hours: 1000, screen.Days: 1000, screen.Months: 36}

// promoNew is what the dialogue remembers, and what the draft is.
type promoNew struct {
	asked
	screen.NewPromo
}

// promoCreate begins with the code.
func (b *Bot) promoCreate(ctx context.Context, r *request) (screen.Screen, error) {
	return b.ask(ctx, r, promoNewCode, promoNew{asked: asked{UpdateID: r.updateID}}, screen.AskNewPromo(r.text, "code", false),
		screen.VerbPromos)
}

// promoCreateMany begins with how many.
func (b *Bot) promoCreateMany(ctx context.Context, r *request) (screen.Screen, error) {
	return b.ask(ctx, r, promoNewCount, promoNew{asked: asked{UpdateID: r.updateID}}, screen.AskNewPromo(r.text, "count", false),
		screen.VerbPromos)
}

// promoNewTyped takes the answer of any step that is typed.
func (b *Bot) promoNewTyped(ctx context.Context, r *request) (screen.Screen, error) {
	at, err := promoNewOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	if at.UpdateID == r.updateID { // the last answer once more: the question after it was not seen
		return b.drawPromoNew(ctx, r, at, r.dialogue.Step, false)
	}
	next, isRight, err := b.promoNewAnswer(ctx, r, &at)
	switch {
	case err != nil:
		return screen.Screen{}, err
	case !isRight:
		return b.drawPromoNew(ctx, r, at, r.dialogue.Step, true)
	}
	return b.promoNewAsk(ctx, r, at, next)
}

// promoNewAnswer puts what was typed where it belongs, and says which question comes next.
func (b *Bot) promoNewAnswer(ctx context.Context, r *request, at *promoNew) (next step, isRight bool, err error) {
	switch r.dialogue.Step {
	case promoNewCode.name:
		at.Code, isRight, err = b.freeCode(ctx, r)
		return promoNewPercent, isRight, err
	case promoNewCount.name:
		at.Count, isRight = wholeNumber(r.argument, mostCodes)
		return promoNewPercent, isRight, nil
	case promoNewPercent.name:
		at.Percent, isRight = wholeNumber(r.argument, mostPercent)
		return promoNewUnit, isRight, nil
	case promoNewValue.name:
		at.Value, isRight = wholeNumber(r.argument, mostOf[at.Unit])
		return promoNewUses, isRight, nil
	case promoNewUses.name:
		at.MaxUses, isRight = wholeNumber(r.argument, mostUses)
		return promoNewPerUser, isRight, nil
	case promoNewPerUser.name:
		at.PerUser, isRight = wholeNumber(r.argument, mostPerUser)
		return promoNewConfirm, isRight, nil
	}
	return step{}, false, nil
}

// freeCode looks whether a code that was typed can be made.
func (b *Bot) freeCode(ctx context.Context, r *request) (code string, isFree bool, err error) {
	code = strings.TrimSpace(withoutNUL(r.argument))
	_, err = b.DB.Promo.Find(ctx, r.user, code)
	switch {
	case errors.Is(err, atlas.ErrNoSuchPromo):
		return code, true, nil
	case err == nil, errors.Is(err, atlas.ErrPromoMalformed):
		return "", false, nil
	}
	return "", false, fmt.Errorf("looking for a promo code: %w", err)
}

// promoNewPressed takes the answer of a step that is a button: the step and the answer stand on it.
func (b *Bot) promoNewPressed(ctx context.Context, r *request) (screen.Screen, error) {
	at, err := promoNewOf(r)
	if err != nil || r.dialogue == nil {
		r.isOver = true
		return screen.StartAgain(r.text), nil //nolint:nilerr // said to the person
	}
	stands := r.dialogue.Step
	unit := screen.PromoUnit(r.argument)
	switch {
	case r.argument == "generate" && stands == promoNewCode.name:
		at.Code = ""
		return b.promoNewAsk(ctx, r, at, promoNewPercent)
	case r.argument == "never" && stands == promoNewUnit.name:
		at.Unit, at.Value = "", 0
		return b.promoNewAsk(ctx, r, at, promoNewUses)
	case mostOf[unit] > 0 && stands == promoNewUnit.name:
		at.Unit = unit
		return b.promoNewAsk(ctx, r, at, promoNewValue)
	case r.argument == "unlimited" && stands == promoNewUses.name:
		at.MaxUses = 0
		return b.promoNewAsk(ctx, r, at, promoNewPerUser)
	case r.argument == "once" && stands == promoNewPerUser.name:
		at.PerUser = 1
		return b.promoNewAsk(ctx, r, at, promoNewConfirm)
	}
	return b.drawPromoNew(ctx, r, at, stands, false)
}

// promoNewAsk moves on to a question; the last one is whether all is right.
func (b *Bot) promoNewAsk(ctx context.Context, r *request, at promoNew, next step) (screen.Screen, error) {
	if next == promoNewConfirm {
		id, err := b.awaitConfirm(ctx, r, promoNewConfirm, promoNewAction, at.NewPromo)
		if err != nil {
			return screen.Screen{}, err
		}
		at.DraftID = id
		return b.drawPromoNew(ctx, r, at, next.name, false)
	}
	at.UpdateID = r.updateID
	if err := b.advance(ctx, r, next, at); err != nil {
		return screen.Screen{}, err
	}
	return b.drawPromoNew(ctx, r, at, next.name, false)
}

// drawPromoNew draws the question of a step; isWrong: once more, because the answer was none.
func (b *Bot) drawPromoNew(ctx context.Context, r *request, at promoNew, name string, isWrong bool) (screen.Screen, error) {
	if name != promoNewConfirm.name {
		return screen.AskNewPromo(r.text, name, isWrong), nil
	}
	wanted, terms, isLate, err := b.promoDrafted(ctx, r, at.DraftID)
	switch {
	case err != nil:
		return screen.Screen{}, err
	case isLate:
		return screen.Screen{}, errDraftOver
	}
	return screen.ConfirmNewPromo(r.text, wanted, terms.ExpiresAt, at.DraftID), nil
}

// promoNewWaits answers words where a button is waited for.
func (b *Bot) promoNewWaits(ctx context.Context, r *request) (screen.Screen, error) {
	at, err := promoNewOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawPromoNew(ctx, r, at, r.dialogue.Step, false)
}

// promoDrafted reads a drafted code with its terms. A time is counted from the last moment at which the draft can be
// confirmed: so the end is the same however often it is read, and nobody gets less than what was asked for.
func (b *Bot) promoDrafted(
	ctx context.Context, r *request, id atlas.DraftID,
) (wanted screen.NewPromo, terms sqlapi.PromoTerms, isLate bool, err error) {
	drafted, err := b.DB.Account.ShowAction(ctx, r.user, id)
	switch {
	case err != nil:
		return wanted, terms, false, fmt.Errorf("reading a draft: %w", err)
	case drafted.Action != promoNewAction:
		return wanted, terms, false, errOldButton
	}
	if err := json.Unmarshal(drafted.Arguments, &wanted); err != nil {
		return wanted, terms, false, fmt.Errorf("reading a draft: %w", err)
	}
	terms = sqlapi.PromoTerms{Percent: wanted.Percent, MaxUses: wanted.MaxUses, PerUser: wanted.PerUser}
	from := drafted.ExpiresAt.UTC()
	var end time.Time
	switch wanted.Unit {
	case screen.Hours:
		end = from.Add(time.Duration(wanted.Value) * time.Hour)
	case screen.Days:
		end = from.AddDate(0, 0, wanted.Value)
	case screen.Months:
		end = from.AddDate(0, wanted.Value, 0)
	default:
		return wanted, terms, drafted.IsExpired, nil
	}
	terms.ExpiresAt = &end
	return wanted, terms, drafted.IsExpired, nil
}

// promoNewConfirmed makes what was drafted.
func (b *Bot) promoNewConfirmed(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.draft()
	if err != nil {
		return screen.Screen{}, err
	}
	wanted, terms, isLate, err := b.promoDrafted(ctx, r, id)
	switch {
	case err != nil:
		return screen.Screen{}, err
	case isLate:
		return screen.Screen{}, errDraftOver
	}
	key := "draft:" + string(id)
	if wanted.Count > 0 {
		return b.issueBatch(ctx, r, wanted.Count, terms, key)
	}
	promo, isReplay, err := b.DB.Promo.Issue(ctx, r.user, wanted.Code, terms, key)
	r.isOver = true
	switch {
	case errors.Is(err, atlas.ErrPromoExists): // somebody was faster
		return screen.PromoTaken(r.text, wanted.Code), nil
	case err != nil:
		return screen.Screen{}, fmt.Errorf("issuing a promo code: %w", err)
	}
	s, err := b.drawPromoCard(ctx, r, promo)
	s.Toast = screen.PromoIssued(r.text, isReplay)
	return s, err
}

func (b *Bot) issueBatch(
	ctx context.Context, r *request, count int, terms sqlapi.PromoTerms, key string,
) (screen.Screen, error) {
	batch, isReplay, err := b.DB.Promo.IssueBatch(ctx, r.user, count, terms, key)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("issuing promo codes: %w", err)
	}
	r.isOver = true
	s, err := b.drawBatch(ctx, r, batch)
	s.Toast = screen.PromoIssued(r.text, isReplay)
	return s, err
}

func promoNewOf(r *request) (promoNew, error) {
	var at promoNew
	if r.dialogue == nil {
		return at, errOldButton
	}
	if err := r.dialogue.Draft(&at); err != nil {
		return at, fmt.Errorf("reading the dialogue: %w", err)
	}
	return at, nil
}

// batches lists the codes that were made many at once.
func (b *Bot) batches(ctx context.Context, r *request) (screen.Screen, error) {
	before, err := r.number(true)
	if err != nil {
		return screen.Screen{}, err
	}
	all, err := b.DB.Promo.ListBatches(ctx, r.user, before, pageSize+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading batches of promo codes: %w", err)
	}
	return screen.Batches(r.text, screen.PageOf(all, pageSize, before == 0)), nil
}

// batch shows the codes of one.
func (b *Bot) batch(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawBatch(ctx, r, id)
}

func (b *Bot) drawBatch(ctx context.Context, r *request, id int64) (screen.Screen, error) {
	codes, err := b.DB.Promo.ListBatch(ctx, r.user, id)
	switch {
	case errors.Is(err, atlas.ErrNoSuchPromo):
		return screen.NoSuchPromo(r.text), nil
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a batch of promo codes: %w", err)
	}
	return screen.Batch(r.text, codes), nil
}
