package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
)

// moneyFlow is one thing that an admin does about a payment or a purchase. All of them go the same way: a button on the
// thing's card, questions, a draft in the database, a confirm screen drawn from the draft, one call, and the card again, which
// says how the thing stands: as decided now, or by another admin who was faster.
type moneyFlow struct {
	action    string // its name in drafts and texts
	kind      dialogue.Kind
	begin     screen.Verb // the button on the card
	confirm   screen.Verb
	questions []moneyQuestion
	// read looks at the thing that the button names.
	read func(ctx context.Context, r *request, subject string) (screen.MoneySubject, error)
	// card shows it.
	card func(ctx context.Context, r *request, subject string) (screen.Screen, error)
	// do does what was confirmed, and names what to say of it.
	do func(ctx context.Context, r *request, a screen.MoneyAction) (said string, err error)
	// decided are the errors of do that mean that the thing stands otherwise than it did when the admin looked.
	decided []error
}

// moneyQuestion is one question. What was typed goes into the action; wrong names why that was no answer.
type moneyQuestion struct {
	name  string
	typed func(ctx context.Context, r *request, text string, a *screen.MoneyAction) (wrong string, err error)
	whole screen.Verb // the button that answers with the whole amount
}

// moneyState is what the dialogue remembers until there is a draft; from then on only the draft counts.
type moneyState struct {
	asked

	Action screen.MoneyAction `json:"action"`
}

const confirmStep = "confirm"

func (f *moneyFlow) at(name string) step { return step{kind: f.kind, name: name} }

func (f *moneyFlow) routes(b *Bot) []route {
	all := []route{
		{verb: f.begin, handle: b.moneyBegun(f)},
		{step: f.at(confirmStep), handle: b.moneyWaits(f)},
		{verb: f.confirm, handle: b.moneyConfirmed(f)},
	}
	for i, q := range f.questions {
		all = append(all, route{step: f.at(q.name), handle: b.moneyTyped(f, i)})
		if q.whole != "" {
			all = append(all, route{verb: q.whole, step: f.at(q.name), handle: b.moneyWhole(f, i)})
		}
	}
	return all
}

// moneyBegun asks the first question, or shows how the thing stands if there is nothing to do about it any more.
func (b *Bot) moneyBegun(f *moneyFlow) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		subject, err := f.read(ctx, r, r.argument)
		if err != nil {
			return screen.Screen{}, err
		}
		if !subject.IsOpen {
			return f.card(ctx, r, subject.ID)
		}
		begun := moneyState{asked: asked{UpdateID: r.updateID}, Action: screen.MoneyAction{Subject: subject.ID}}
		s := b.drawQuestion(r, f, 0, subject, "")
		return b.ask(ctx, r, f.at(f.questions[0].name), begun, s, screen.VerbAdmin)
	}
}

func (b *Bot) drawQuestion(r *request, f *moneyFlow, i int, subject screen.MoneySubject, wrong string) screen.Screen {
	q := f.questions[i]
	return screen.AskMoney(r.text, f.action, q.name, wrong, q.whole, subject)
}

// moneyTyped takes what was typed as the answer to a question.
func (b *Bot) moneyTyped(f *moneyFlow, i int) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		state, subject, err := b.moneyStands(ctx, r, f)
		if err != nil {
			return screen.Screen{}, err
		}
		if state.UpdateID == r.updateID { // the answer before, once more: the screen with this question was not seen
			return b.drawQuestion(r, f, i, subject, ""), nil
		}
		wrong, err := f.questions[i].typed(ctx, r, r.argument, &state.Action)
		if err != nil {
			return screen.Screen{}, err
		}
		if wrong != "" {
			return b.drawQuestion(r, f, i, subject, wrong), nil
		}
		return b.moneyAnswered(ctx, r, f, i, state.Action, subject)
	}
}

// moneyWhole takes the button with the whole amount as the answer. At another step it shows where the dialogue stands.
func (b *Bot) moneyWhole(f *moneyFlow, i int) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		if r.dialogue == nil {
			return screen.StartAgain(r.text), nil
		}
		state, subject, err := b.moneyStands(ctx, r, f)
		if err != nil {
			return screen.Screen{}, err
		}
		switch {
		case r.isAt(f.at(confirmStep)):
			return b.drawMoney(ctx, r, f, state.DraftID)
		case !r.isAt(f.at(f.questions[i].name)):
			for other, q := range f.questions {
				if r.isAt(f.at(q.name)) {
					return b.drawQuestion(r, f, other, subject, ""), nil
				}
			}
			return screen.StartAgain(r.text), nil
		case subject.Whole == 0:
			return b.drawQuestion(r, f, i, subject, "amount"), nil
		}
		state.Action.Amount = subject.Whole
		return b.moneyAnswered(ctx, r, f, i, state.Action, subject)
	}
}

// moneyStands reads what the dialogue knows, and the thing that it is about.
func (b *Bot) moneyStands(ctx context.Context, r *request, f *moneyFlow) (moneyState, screen.MoneySubject, error) {
	var state moneyState
	if err := r.dialogue.Draft(&state); err != nil {
		return state, screen.MoneySubject{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	if state.DraftID != "" { // at the confirm screen the draft has all that counts
		return state, screen.MoneySubject{}, nil
	}
	subject, err := f.read(ctx, r, state.Action.Subject)
	return state, subject, err
}

// moneyAnswered asks the next question, or leaves what was said with the database and asks for a confirmation.
func (b *Bot) moneyAnswered(
	ctx context.Context, r *request, f *moneyFlow, i int, a screen.MoneyAction, subject screen.MoneySubject,
) (screen.Screen, error) {
	if next := i + 1; next < len(f.questions) {
		state := moneyState{asked: asked{UpdateID: r.updateID}, Action: a}
		if err := b.advance(ctx, r, f.at(f.questions[next].name), state); err != nil {
			return screen.Screen{}, err
		}
		return b.drawQuestion(r, f, next, subject, ""), nil
	}
	id, err := b.awaitConfirm(ctx, r, f.at(confirmStep), f.action, a)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawMoney(ctx, r, f, id)
}

// moneyWaits shows the confirm screen again: words where a button is waited for, or the last answer once more.
func (b *Bot) moneyWaits(f *moneyFlow) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		state, _, err := b.moneyStands(ctx, r, f)
		if err != nil {
			return screen.Screen{}, err
		}
		return b.drawMoney(ctx, r, f, state.DraftID)
	}
}

// drawMoney draws a confirm screen from its draft, or the thing itself where there is nothing to decide any more.
func (b *Bot) drawMoney(ctx context.Context, r *request, f *moneyFlow, id atlas.DraftID) (screen.Screen, error) {
	var a screen.MoneyAction
	isLate, err := b.readAction(ctx, r, id, f.action, &a)
	if err != nil {
		return screen.Screen{}, err
	}
	subject, err := f.read(ctx, r, a.Subject)
	switch {
	case err != nil:
		return screen.Screen{}, err
	case isLate || !subject.IsOpen:
		r.isOver = true
		return f.card(ctx, r, a.Subject)
	}
	return screen.ConfirmMoney(r.text, f.action, f.confirm, a, subject, id), nil
}

// moneyConfirmed does what was drafted and shows how the thing stands now.
func (b *Bot) moneyConfirmed(f *moneyFlow) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		id, err := r.draft()
		if err != nil {
			return screen.Screen{}, err
		}
		var a screen.MoneyAction
		isLate, err := b.readAction(ctx, r, id, f.action, &a)
		if err != nil {
			return screen.Screen{}, err
		}
		said := "late"
		if !isLate {
			said, err = f.do(ctx, r, a)
		}
		for _, decided := range f.decided {
			if errors.Is(err, decided) {
				said, err = "decided", nil
			}
		}
		if err != nil {
			return screen.Screen{}, fmt.Errorf("%s: %w", f.action, err)
		}
		s, err := f.card(ctx, r, a.Subject)
		s.Toast = r.text.Plain("alert.money_" + said)
		return s, err
	}
}

// typedNote takes a note or a reason.
func typedNote(_ context.Context, _ *request, text string, a *screen.MoneyAction) (wrong string, err error) {
	note, ok := words(text)
	if !ok {
		return "note", nil
	}
	a.Note = note
	return "", nil
}

// typedAmount takes an amount; whether it fits is the database's to say.
func typedAmount(_ context.Context, _ *request, text string, a *screen.MoneyAction) (wrong string, err error) {
	amount, err := parseAmount(text)
	if err != nil {
		return "amount", nil //nolint:nilerr // said to the person
	}
	a.Amount = amount
	return "", nil
}
