package bot

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
)

// head is as much of an update as has to be known before it is stored: whose turn it takes, and whether somebody is
// waiting at a checkout.
type head struct {
	Message       *inChat `json:"message"`
	EditedMessage *inChat `json:"edited_message"`
	MyChatMember  *inChat `json:"my_chat_member"`
	CallbackQuery *struct {
		From    person  `json:"from"`
		Message *inChat `json:"message"`
	} `json:"callback_query"`
	PreCheckoutQuery *telego.PreCheckoutQuery `json:"pre_checkout_query"`
}

type person struct {
	ID int64 `json:"id"`
}

type inChat struct {
	Chat person `json:"chat"`
}

// turn is the chat whose turn an update takes: updates of one chat are handled one after the other.
func (h head) turn() int64 {
	switch {
	case h.Message != nil:
		return h.Message.Chat.ID
	case h.EditedMessage != nil:
		return h.EditedMessage.Chat.ID
	case h.CallbackQuery != nil && h.CallbackQuery.Message != nil:
		return h.CallbackQuery.Message.Chat.ID
	case h.CallbackQuery != nil:
		return h.CallbackQuery.From.ID
	case h.MyChatMember != nil:
		return h.MyChatMember.Chat.ID
	case h.PreCheckoutQuery != nil:
		return h.PreCheckoutQuery.From.ID
	default:
		return 0
	}
}

// take stores updates in the inbox. When it has returned without an error, Telegram may forget them.
func (b *Bot) take(ctx context.Context, updates []telegram.RawUpdate) error {
	received := make([]sqlapi.ReceivedUpdate, 0, len(updates))
	for _, update := range updates {
		var h head
		// What does not decode is stored all the same: working it off fails, and it ends among the dead letters.
		_ = json.Unmarshal(update.JSON, &h)
		if h.PreCheckoutQuery != nil {
			if err := b.startCheck(ctx, update.ID, h.PreCheckoutQuery); err != nil {
				return fmt.Errorf("answering a checkout: %w", err)
			}
		}
		payload, err := b.sealUpdate(update.ID, update.JSON)
		if err != nil {
			return err
		}
		received = append(received, sqlapi.ReceivedUpdate{UpdateID: update.ID, ChatID: h.turn(), Payload: payload})
	}
	fresh, err := b.DB.Inbox.Receive(ctx, received)
	if err != nil {
		return fmt.Errorf("storing %d updates: %w", len(received), err)
	}
	b.metrics.received(fresh, len(received)-fresh)
	if fresh > 0 {
		b.wake()
	}
	return nil
}
