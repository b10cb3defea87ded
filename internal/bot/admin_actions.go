package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// userFlow is one thing that an admin can do to a user: the button on the card, some questions, the draft, the button that
// confirms it, and what is done then. All of them go the same way:
//
//	begin ──► question ──► … ──► draft in the database ──► confirm ──► do, once, with the draft's key
type userFlow struct {
	action         string // its name in drafts and texts
	begin, confirm screen.Verb
	questions      []question
	// prepare, which may be nil, fills in what follows from how the user is now, and from what else the button carries.
	prepare func(ctx context.Context, b *Bot, card sqlapi.Card, rest string, a *screen.UserAction) error
	do      func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (isReplay bool, err error)
}

// confirmation is a draft that is being done. The key makes it happen once; until names when the draft ends.
type confirmation struct {
	key   string
	draft atlas.DraftID
	until time.Time
}

// question is one question to the admin. What is typed, or the place of the button that was pressed, goes into the action;
// false: that was no answer. Either may be nil.
type question struct {
	step    step
	verb    screen.Verb
	typed   func(text string, a *screen.UserAction) bool
	pressed func(place int, o screen.UserOptions, a *screen.UserAction) bool
	// next names the question that follows; "" for none. Nil is none, too.
	next func(a screen.UserAction) string
}

// userState is what these dialogues remember, until there is a draft: from then on only the draft counts.
type userState struct {
	asked

	Action screen.UserAction `json:"action"`
}

// userFlows is all that can be done to a user.
func userFlows() []*userFlow {
	return []*userFlow{
		creditFlow(), debitFlow(), grantFlow(), revokeFlow(), discountFlow(), vipFlow(), blockFlow(), unblockFlow(),
		reissueFlow(), refundFlow(),
	}
}

// routes are the ways into the flow and through it.
func (f *userFlow) routes(b *Bot) []route {
	all := []route{
		{verb: f.begin, handle: b.userBegun(f)},
		{verb: f.confirm, handle: b.userConfirmed(f)},
	}
	if len(f.questions) > 0 {
		all = append(all, route{step: f.atConfirm(), handle: b.userWaits(f)})
	}
	for _, q := range f.questions {
		all = append(all, route{step: q.step, handle: b.userTyped(f, q)})
		if q.verb != "" {
			all = append(all, route{verb: q.verb, step: q.step, handle: b.userPressed(f, q)})
		}
	}
	return all
}

// atConfirm is where the dialogue stands when all is answered.
func (f *userFlow) atConfirm() step { return step{kind: f.questions[0].step.kind, name: confirmStep} }

func (f *userFlow) question(name string) (question, bool) {
	for _, q := range f.questions {
		if q.step.name == name {
			return q, true
		}
	}
	return question{}, false
}

// userBegun asks the first question about the user that the button names, or drafts at once.
func (b *Bot) userBegun(f *userFlow) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		number, rest, _ := strings.Cut(r.argument, ":")
		id, err := telegramID(number)
		if err != nil {
			return screen.Screen{}, err
		}
		card, err := b.DB.Account.Card(ctx, r.user, id)
		if errors.Is(err, atlas.ErrNoSuchUser) {
			return screen.NobodyFound(r.text), nil
		}
		if err != nil {
			return screen.Screen{}, fmt.Errorf("reading a user: %w", err)
		}
		a := screen.UserAction{TelegramID: id}
		if f.prepare != nil {
			if err := f.prepare(ctx, b, card, rest, &a); err != nil {
				return screen.Screen{}, err
			}
		}
		if len(f.questions) == 0 {
			return b.draftUserAction(ctx, r, f, a)
		}
		first := f.questions[0]
		err = b.Dialogues.Begin(ctx, int64(r.user), first.step.kind, first.step.name, userState{asked: asked{UpdateID: r.updateID}, Action: a})
		if err != nil {
			b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
			return screen.CannotAsk(r.text, screen.VerbAdmin), nil
		}
		return b.askAboutUser(ctx, r, f, first, a, false)
	}
}

// userTyped takes what was typed as the answer to a question.
func (b *Bot) userTyped(f *userFlow, q question) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		var s userState
		if err := r.dialogue.Draft(&s); err != nil {
			return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
		}
		if s.UpdateID == r.updateID { // the answer before, once more: the screen with this question was not seen
			return b.askAboutUser(ctx, r, f, q, s.Action, false)
		}
		if q.typed == nil || !q.typed(r.argument, &s.Action) {
			return b.askAboutUser(ctx, r, f, q, s.Action, true)
		}
		return b.userAnswered(ctx, r, f, q, s.Action)
	}
}

// userPressed takes a button as the answer. One that the dialogue does not wait for shows where it stands.
func (b *Bot) userPressed(f *userFlow, q question) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		if r.dialogue == nil {
			return screen.StartAgain(r.text), nil
		}
		var s userState
		if err := r.dialogue.Draft(&s); err != nil {
			return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
		}
		if r.isAt(f.atConfirm()) { // another device was faster
			return b.userWaits(f)(ctx, r)
		}
		if !r.isAt(q.step) {
			now, isKnown := f.question(r.dialogue.Step)
			if !isKnown {
				return screen.StartAgain(r.text), nil
			}
			return b.askAboutUser(ctx, r, f, now, s.Action, false)
		}
		place, err := strconv.Atoi(r.argument)
		if err != nil {
			return screen.Screen{}, errOldButton
		}
		options, err := b.userOptions(ctx)
		if err != nil {
			return screen.Screen{}, err
		}
		if !q.pressed(place, options, &s.Action) {
			return b.askAboutUser(ctx, r, f, q, s.Action, false)
		}
		return b.userAnswered(ctx, r, f, q, s.Action)
	}
}

// userAnswered goes on with the next question, or drafts.
func (b *Bot) userAnswered(
	ctx context.Context, r *request, f *userFlow, q question, a screen.UserAction,
) (screen.Screen, error) {
	name := ""
	if q.next != nil {
		name = q.next(a)
	}
	next, isThere := f.question(name)
	if !isThere {
		return b.draftUserAction(ctx, r, f, a)
	}
	if err := b.advance(ctx, r, next.step, userState{asked: asked{UpdateID: r.updateID}, Action: a}); err != nil {
		return screen.Screen{}, err
	}
	return b.askAboutUser(ctx, r, f, next, a, false)
}

// userOptions is what the buttons of questions offer beside what is always the same.
func (b *Bot) userOptions(ctx context.Context) (screen.UserOptions, error) {
	prices, err := b.DB.Billing.ListPrices(ctx)
	if err != nil {
		return screen.UserOptions{}, fmt.Errorf("reading the prices: %w", err)
	}
	return screen.OptionsOf(prices), nil
}

func (b *Bot) askAboutUser(
	ctx context.Context, r *request, f *userFlow, q question, a screen.UserAction, isWrong bool,
) (screen.Screen, error) {
	card, err := b.DB.Account.Card(ctx, r.user, a.TelegramID)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a user: %w", err)
	}
	options, err := b.userOptions(ctx)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.AskAboutUser(r.text, card, screen.UserQuestion{
		Action: f.action, Step: q.step.name, Verb: q.verb, IsWrong: isWrong, Options: options,
	}), nil
}

// draftUserAction leaves the action with the database and shows it from there, to be confirmed. A dialogue stays until then:
// another device that gives the last answer, too, sees the same.
func (b *Bot) draftUserAction(ctx context.Context, r *request, f *userFlow, a screen.UserAction) (screen.Screen, error) {
	drafted, err := b.draftAction(ctx, r, f.action, a)
	if err != nil {
		return screen.Screen{}, err
	}
	if len(f.questions) > 0 {
		err := b.advance(ctx, r, f.atConfirm(), asked{UpdateID: r.updateID, DraftID: drafted.DraftID})
		if err != nil {
			return screen.Screen{}, err
		}
	}
	return b.drawUserAction(ctx, r, f, a, drafted)
}

func (b *Bot) drawUserAction(
	ctx context.Context, r *request, f *userFlow, a screen.UserAction, drafted sqlapi.ActionDraft,
) (screen.Screen, error) {
	card, err := b.DB.Account.Card(ctx, r.user, a.TelegramID)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a user: %w", err)
	}
	return screen.ConfirmUserAction(r.text, card, f.action, f.confirm, until(a, drafted.ExpiresAt), drafted), nil
}

// userWaits shows the confirm screen again: words where a button is waited for, or the last answer once more.
func (b *Bot) userWaits(f *userFlow) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		var at asked
		if err := r.dialogue.Draft(&at); err != nil {
			return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
		}
		var a screen.UserAction
		isLate, err := b.readAction(ctx, r, at.DraftID, f.action, &a)
		if err != nil {
			return screen.Screen{}, err
		}
		if isLate {
			return screen.Screen{}, errDraftOver
		}
		c, err := b.confirmation(ctx, r, at.DraftID)
		if err != nil {
			return screen.Screen{}, err
		}
		return b.drawUserAction(ctx, r, f, a, sqlapi.ActionDraft{DraftID: c.draft, ExpiresAt: c.until})
	}
}

// userConfirmed does what was drafted, once, and shows the user as they are after it.
func (b *Bot) userConfirmed(f *userFlow) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		var a screen.UserAction
		key, err := b.confirmed(ctx, r, f.action, &a)
		if err != nil {
			return screen.Screen{}, err
		}
		id, err := r.draft()
		if err != nil {
			return screen.Screen{}, err
		}
		c, err := b.confirmation(ctx, r, id)
		if err != nil {
			return screen.Screen{}, err
		}
		c.key = key
		a = until(a, c.until)
		isReplay, err := f.do(ctx, b, r.user, a, c)
		var refusal *atlas.Error
		if errors.As(err, &refusal) && screen.IsRefusalOfAction(r.text, refusal.Code) {
			b.Log.InfoContext(ctx, "refused", obs.Operation(r.operation), obs.Outcome(obs.OutcomeRefused), obs.Err(err))
			return screen.UserActionRefused(r.text, a, refusal.Code), nil
		}
		if err != nil {
			return screen.Screen{}, fmt.Errorf("%s: %w", f.action, err)
		}
		card, err := b.DB.Account.Card(ctx, r.user, a.TelegramID)
		if err != nil {
			return screen.Screen{}, fmt.Errorf("reading a user: %w", err)
		}
		return screen.UserActionDone(r.text, card, f.action, a, isReplay), nil
	}
}

// confirmation looks at a draft that is to be confirmed.
func (b *Bot) confirmation(ctx context.Context, r *request, id atlas.DraftID) (confirmation, error) {
	drafted, err := b.DB.Account.ShowAction(ctx, r.user, id)
	if err != nil {
		return confirmation{}, fmt.Errorf("reading a draft: %w", err)
	}
	return confirmation{draft: id, until: drafted.ExpiresAt}, nil
}

// until turns the days of a discount into its end. They count from the end of the draft, which stays what it is however
// often the draft is looked at.
func until(a screen.UserAction, draftEnds time.Time) screen.UserAction {
	if a.Days > 0 {
		end := draftEnds.Add(time.Duration(a.Days) * 24 * time.Hour)
		a.Until = &end
	}
	return a
}

// kindOf is a dialogue of these.
func kindOf(action string) dialogue.Kind { return dialogue.Kind{Name: "a_" + action, Version: 1} }
