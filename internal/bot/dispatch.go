package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// updateKinds is what Telegram is asked for. Edited messages are not: a command is not executed again because somebody
// mended a typo in it.
func updateKinds() []string {
	return []string{
		telego.MessageUpdates, telego.CallbackQueryUpdates, telego.PreCheckoutQueryUpdates, telego.MyChatMemberUpdates,
	}
}

// errOldButton means that a button carries what this release does not understand.
var errOldButton = errors.New("button of another release")

// handle works one update off. An error means that it should be tried again.
func (b *Bot) handle(ctx context.Context, u sqlapi.ClaimedUpdate) (operation string, err error) {
	defer b.survive(ctx, &err)
	if u.Payload, err = b.unsealUpdate(u.Payload); err != nil {
		return "sealed", err
	}
	var update telego.Update
	if err := json.Unmarshal([]byte(u.Payload), &update); err != nil {
		return "undecodable", fmt.Errorf("decoding the update: %w", err)
	}
	switch {
	case update.Message != nil:
		return b.handleMessage(ctx, u, update.Message)
	case update.CallbackQuery != nil:
		return b.handlePress(ctx, u, update.CallbackQuery)
	case update.MyChatMember != nil:
		return "membership", b.handleMembership(ctx, update.MyChatMember)
	case update.PreCheckoutQuery != nil:
		return "pre_checkout", nil // answered when it was taken in
	default:
		return "ignored", nil
	}
}

func (b *Bot) handleMessage(ctx context.Context, u sqlapi.ClaimedUpdate, m *telego.Message) (string, error) {
	if m.RefundedPayment != nil { // whoever Telegram names as its sender
		return "refunded_payment", b.handleRefundedPayment(ctx, u, m.RefundedPayment)
	}
	if m.Chat.Type != telego.ChatTypePrivate || m.From == nil || m.From.IsBot {
		return "ignored", nil
	}
	ctx = obs.WithTelegramID(ctx, m.From.ID)
	r := b.newRequest(u, m.From)
	if m.SuccessfulPayment != nil {
		return "successful_payment", b.handlePayment(ctx, r, u, m.SuccessfulPayment)
	}
	r.argument = m.Text
	to := route{handle: b.typed}
	if command, argument, isCommand := parseCommand(m.Text); isCommand {
		var isKnown bool
		r.operation, r.argument = "/"+command, argument
		if to, isKnown = b.routes.commands[command]; !isKnown {
			r.operation, to = "/unknown", route{handle: b.unknown}
		}
	}
	err := b.answer(ctx, r, to)
	return r.operation, err
}

func (b *Bot) handlePress(ctx context.Context, u sqlapi.ClaimedUpdate, q *telego.CallbackQuery) (string, error) {
	ctx = obs.WithTelegramID(ctx, q.From.ID)
	// In a private chat with the bot the chat's number is the person's. Anything else is a button in a group, or forwarded.
	// A bot is nobody, as where it writes.
	if q.From.IsBot || q.Message == nil || q.Message.GetChat().ID != q.From.ID {
		b.refuseForeignPress(ctx, q)
		return "foreign_press", nil
	}
	r := b.newRequest(u, &q.From)
	r.pressID = q.ID
	if m := q.Message.Message(); m != nil && m.Text != "" { // a photo or an invoice cannot become text
		r.messageID = m.MessageID
	}
	var verb screen.Verb
	verb, r.argument = screen.Parse(q.Data)
	to, isKnown := b.routes.verbs[verb]
	r.operation = string(verb)
	if !isKnown {
		r.operation, to = "old_button", route{handle: b.oldButton}
	}
	err := b.answer(ctx, r, to)
	return r.operation, err
}

// refuseForeignPress does nothing that anybody could see, but for an entry in the audit.
func (b *Bot) refuseForeignPress(ctx context.Context, q *telego.CallbackQuery) {
	id := atlas.TelegramID(q.From.ID)
	if err := b.DB.Audit.Refused(ctx, id, "bot.foreign_press", "", atlas.ErrNotAnAdmin.Code); err != nil {
		b.Log.WarnContext(ctx, "could not record a refusal", obs.Operation("foreign_press"), obs.Err(err))
	}
}

// handleMembership notes that somebody blocked the bot or let it in again.
func (b *Bot) handleMembership(ctx context.Context, m *telego.ChatMemberUpdated) error {
	if m.Chat.Type != telego.ChatTypePrivate {
		return nil
	}
	isReachable := m.NewChatMember.MemberStatus() == telego.MemberStatusMember
	err := b.DB.Account.SetReachable(ctx, atlas.TelegramID(m.From.ID), isReachable)
	if err != nil && !errors.Is(err, atlas.ErrNoSuchUser) {
		return fmt.Errorf("noting reachability: %w", err)
	}
	return nil
}

// typed answers what is no command: the question of a dialogue, if one was asked.
func (b *Bot) typed(ctx context.Context, r *request) (screen.Screen, error) {
	r.operation = "typed"
	d, err := b.Dialogues.Load(ctx, int64(r.user), b.routes.kinds...)
	switch {
	case errors.Is(err, dialogue.ErrNone):
		return screen.Unknown(r.text), nil
	case err != nil:
		b.Log.InfoContext(ctx, "no dialogue to go on with", obs.Operation(r.operation), obs.Err(err))
		return screen.StartAgain(r.text), nil
	}
	to, isKnown := b.routes.steps[step{kind: d.Kind, name: d.Step}]
	if !isKnown {
		return screen.StartAgain(r.text), nil
	}
	r.operation, r.dialogue = d.Kind.Name+"."+d.Step, d
	return to.handle(ctx, r)
}

func (b *Bot) unknown(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Unknown(r.text), nil
}

func (b *Bot) oldButton(_ context.Context, r *request) (screen.Screen, error) {
	return screen.OldButton(r.text, r.name), nil
}

// answer runs a route's handler and shows its screen, or what its error means to a person.
func (b *Bot) answer(ctx context.Context, r *request, to route) error {
	var err error
	if !to.registers {
		err = b.meet(ctx, r)
	}
	var s screen.Screen
	if err == nil {
		b.enter(ctx, r, to)
		s, err = b.try(ctx, r, to.handle)
	}
	if err != nil {
		early := (*tooOftenError)(nil)
		r.isOver = !errors.As(err, &early) // who has to wait may go on after it
		s, err = b.failure(ctx, r, err)
		if err != nil {
			return err
		}
	}
	if err := b.show(ctx, r, s); err != nil {
		return err
	}
	if r.isOver { // only now: until the screen is there, the same update may have to draw it again
		b.endDialogue(ctx, r)
	}
	return nil
}

// enter leaves whatever was asked before, unless the person goes on with it: by typing, which typed looks at, or by a
// button that belongs to it.
func (b *Bot) enter(ctx context.Context, r *request, to route) {
	switch {
	case r.operation == "":
		return
	case to.verb == "" || to.step.name == "":
	default:
		d, err := b.Dialogues.Load(ctx, int64(r.user), b.routes.kinds...)
		if err != nil {
			b.Log.InfoContext(ctx, "no dialogue to go on with", obs.Operation(r.operation), obs.Err(err))
			return
		}
		if d.Kind == to.step.kind {
			r.dialogue = d
			return
		}
	}
	b.leaveDialogue(ctx, r)
}

// try runs a handler; one that panics has failed, and the person is told so.
func (b *Bot) try(ctx context.Context, r *request, handle handler) (s screen.Screen, err error) {
	defer b.survive(ctx, &err)
	return handle(ctx, r)
}

// survive turns a panic into an error.
func (b *Bot) survive(ctx context.Context, err *error) {
	if panicked := recover(); panicked != nil {
		b.Log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
		*err = fmt.Errorf("panic: %v", panicked)
	}
}

// advance moves the dialogue on to a step. dialogue.ErrMoved: somebody else did, and another look finds where it stands.
func (b *Bot) advance(ctx context.Context, r *request, to step, draft any) error {
	if err := b.Dialogues.Advance(ctx, int64(r.user), r.dialogue, to.name, draft); err != nil {
		return fmt.Errorf("going on with the dialogue: %w", err)
	}
	r.dialogue = nil // it is not there any more
	return nil
}

// endDialogue closes a dialogue that has done its work or cannot go on. One that has moved on is another's to end.
func (b *Bot) endDialogue(ctx context.Context, r *request) {
	if r.dialogue == nil {
		b.leaveDialogue(ctx, r)
		return
	}
	if err := b.Dialogues.End(ctx, int64(r.user), r.dialogue); err != nil {
		b.Log.DebugContext(ctx, "could not end the dialogue", obs.Operation(r.operation), obs.Err(err))
	}
}

// leaveDialogue forgets what was asked. With Redis away there is nothing to forget, or it is forgotten in time.
func (b *Bot) leaveDialogue(ctx context.Context, r *request) {
	if err := b.Dialogues.Clear(ctx, int64(r.user)); err != nil {
		b.Log.DebugContext(ctx, "could not leave the dialogue", obs.Operation(r.operation), obs.Err(err))
	}
}

// parseCommand reads "/command@bot argument".
func parseCommand(text string) (command, argument string, isCommand bool) {
	if !strings.HasPrefix(text, "/") {
		return "", "", false
	}
	word, argument, _ := strings.Cut(text[1:], " ")
	command, _, _ = strings.Cut(word, "@")
	return strings.ToLower(command), strings.TrimSpace(argument), true
}
