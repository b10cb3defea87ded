package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/requisites"
)

// spoken is as much of a message as says whether a person's own words are in it.
type spoken struct {
	Chat struct {
		Type string `json:"type"`
	} `json:"chat"`
	Text       string          `json:"text"`
	Successful json.RawMessage `json:"successful_payment"`
	Refunded   json.RawMessage `json:"refunded_payment"`
	ReplyTo    json.RawMessage `json:"reply_to_message"`
	External   json.RawMessage `json:"external_reply"`
	Quote      json.RawMessage `json:"quote"`
}

// hasWords says whether the message may hold requisites: it is no payment and no mere command.
func (m *spoken) hasWords() bool {
	isPayment := m.Successful != nil || m.Refunded != nil
	isBare := strings.HasPrefix(m.Text, "/") && m.ReplyTo == nil && m.External == nil && m.Quote == nil
	return m.Chat.Type == telego.ChatTypePrivate && !isPayment && !isBare
}

// sealedUpdate is an update in the inbox whose words only the application can read. Nobody who reads the table, a dump or
// a backup finds requisites in it. Money is never sealed: losing the key must not lose a payment.
type sealedUpdate struct {
	UpdateID int64             `json:"update_id"`
	Sealed   requisites.Sealed `json:"sealed"`
}

// sealUpdate seals an update that a person's words are in, takes our own words out of a button press, and leaves others as
// they came.
func (b *Bot) sealUpdate(id int64, raw json.RawMessage) (json.RawMessage, error) {
	var update struct {
		Message *spoken         `json:"message"`
		Edited  *spoken         `json:"edited_message"`
		Press   json.RawMessage `json:"callback_query"`
	}
	if err := json.Unmarshal(raw, &update); err != nil {
		return raw, nil //nolint:nilerr // nobody's words: it will fail when it is worked off
	}
	if update.Press != nil {
		return withoutText(raw, update.Press)
	}
	if (update.Message == nil || !update.Message.hasWords()) && (update.Edited == nil || !update.Edited.hasWords()) {
		return raw, nil
	}
	sealed, err := b.Requisites.SealUpdate(raw)
	if err != nil {
		return nil, fmt.Errorf("sealing an update: %w", err)
	}
	return json.Marshal(sealedUpdate{UpdateID: id, Sealed: sealed}) //nolint:wrapcheck // a number and a text
}

// kept is what a button press has to say of the message that the button is on.
var kept = []string{"message_id", "date", "chat", "text"}

// withoutText leaves out of a button press what was written over the button: keys, where to pay somebody. That there was
// a text has to stay known: only a text can be edited in place.
func withoutText(raw, press json.RawMessage) (json.RawMessage, error) {
	var update, query, message map[string]json.RawMessage
	err := errors.Join(json.Unmarshal(raw, &update), json.Unmarshal(press, &query))
	if err != nil || query["message"] == nil || json.Unmarshal(query["message"], &message) != nil {
		return raw, nil //nolint:nilerr // no message, or none that could be worked off
	}
	maps.DeleteFunc(message, func(name string, _ json.RawMessage) bool { return !slices.Contains(kept, name) })
	if message["text"] != nil {
		message["text"] = json.RawMessage(`"…"`)
	}
	if query["message"], err = json.Marshal(message); err == nil {
		update["callback_query"], err = json.Marshal(query)
	}
	if err == nil {
		raw, err = json.Marshal(update)
	}
	return raw, err //nolint:wrapcheck // parts of what was valid
}

// unsealUpdate gives an update as it came.
func (b *Bot) unsealUpdate(payload string) (string, error) {
	var update sealedUpdate
	if err := json.Unmarshal([]byte(payload), &update); err != nil || update.Sealed == "" {
		return payload, nil //nolint:nilerr // not sealed; whether it decodes is seen elsewhere
	}
	raw, err := b.Requisites.OpenUpdate(update.Sealed)
	if err != nil {
		return "", fmt.Errorf("opening an update: %w", err)
	}
	return string(raw), nil
}
