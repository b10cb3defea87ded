package bot

import (
	"encoding/json"
	"fmt"
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

// sealUpdate seals an update that a person's words are in, and leaves others as they came.
func (b *Bot) sealUpdate(id int64, raw json.RawMessage) (json.RawMessage, error) {
	var update struct {
		Message *spoken `json:"message"`
		Edited  *spoken `json:"edited_message"`
	}
	if err := json.Unmarshal(raw, &update); err != nil {
		return raw, nil //nolint:nilerr // nobody's words: it will fail when it is worked off
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
