// Package person is the Go client of the sandbox's persons' API: what tests do as people who talk with a bot.
package person

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pkg/errors"

	"atlas-secure/internal/sandbox/botapi"
)

// requestTime is added to what the server may wait by itself.
const requestTime = 10 * time.Second

// waitSeconds is one round of waiting for a change.
const waitSeconds = 20

// answerSeconds is how long Press waits for the bot's answer.
const answerSeconds = 60

// Client knows the server and the bot.
type Client struct {
	base string
	bot  string
	http *http.Client
}

// NewClient talks to the server at base ("http://127.0.0.1:8081"). Bot is an id or a username; empty: the first one.
func NewClient(base, bot string) *Client {
	return &Client{base: strings.TrimRight(base, "/"), bot: bot, http: &http.Client{}}
}

// Person is somebody who talks with the bot.
type Person struct {
	botapi.Person
	client *Client
}

// Error is a refusal of the persons' API.
type Error struct {
	Status int
	Text   string
}

func (e *Error) Error() string { return fmt.Sprintf("persons' API: %d %s", e.Status, e.Text) }

// Ensure makes the person or changes the one with the same id.
func (c *Client) Ensure(ctx context.Context, who botapi.Person) (*Person, error) {
	p := &Person{client: c}
	if err := c.call(ctx, http.MethodPost, "/api/people", who, &p.Person); err != nil {
		return nil, err
	}
	return p, nil
}

// People lists everybody.
func (c *Client) People(ctx context.Context) ([]*Person, error) {
	var found []botapi.Person
	if err := c.call(ctx, http.MethodGet, "/api/people", nil, &found); err != nil {
		return nil, err
	}
	people := make([]*Person, 0, len(found))
	for _, who := range found {
		people = append(people, &Person{Person: who, client: c})
	}
	return people, nil
}

// AddFault makes the server misbehave.
func (c *Client) AddFault(ctx context.Context, f botapi.Fault) error {
	return c.call(ctx, http.MethodPost, "/api/faults", f, nil)
}

// ClearFaults ends all misbehaviour.
func (c *Client) ClearFaults(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/api/faults", nil, nil)
}

// LimitMessages makes the server answer 429 above this many messages a second; 0 is no limit.
func (c *Client) LimitMessages(ctx context.Context, perSecond float64) error {
	return c.call(ctx, http.MethodPut, "/api/limits", map[string]float64{"messages_per_second": perSecond}, nil)
}

func (p *Person) do(ctx context.Context, method, path string, body, result any) error {
	return p.client.call(ctx, method, fmt.Sprintf("/api/people/%d%s", p.ID, path), body, result)
}

// Send writes a text to the bot.
func (p *Person) Send(ctx context.Context, text string) (botapi.Message, error) {
	var sent botapi.Message
	err := p.do(ctx, http.MethodPost, "/messages", map[string]string{"text": text}, &sent)
	return sent, err
}

// Edit changes a text that the person wrote.
func (p *Person) Edit(ctx context.Context, message int, text string) error {
	return p.do(ctx, http.MethodPost, fmt.Sprintf("/messages/%d/edit", message), map[string]string{"text": text}, nil)
}

// Chat reads the chat.
func (p *Person) Chat(ctx context.Context) (botapi.ChatView, error) {
	var view botapi.ChatView
	err := p.do(ctx, http.MethodGet, "/chat?limit=1000", nil, &view)
	return view, err
}

// WaitChat waits until the chat is as wanted, or the context ends; then the error tells how the chat looks.
func (p *Person) WaitChat(ctx context.Context, wanted func(botapi.ChatView) bool) (botapi.ChatView, error) {
	view, err := p.Chat(ctx)
	for err == nil && !wanted(view) {
		var next botapi.ChatView
		path := fmt.Sprintf("/chat?limit=1000&since=%d&wait=%d", view.Revision, waitSeconds)
		if err = p.do(ctx, http.MethodGet, path, nil, &next); err == nil {
			view = next
		}
	}
	if err != nil {
		return view, errors.Wrapf(err, "%s waited in vain; chat:\n%s", p.FirstName, Transcript(view))
	}
	return view, nil
}

// WaitMessage waits for a message that fits, and gives the newest such one.
func (p *Person) WaitMessage(ctx context.Context, fits func(botapi.ChatMessage) bool) (botapi.ChatMessage, error) {
	var found botapi.ChatMessage
	_, err := p.WaitChat(ctx, func(view botapi.ChatView) bool {
		for i := len(view.Messages) - 1; i >= 0; i-- {
			if fits(view.Messages[i]) {
				found = view.Messages[i]
				return true
			}
		}
		return false
	})
	return found, err
}

// WaitText waits for a message of the bot whose text or caption contains the part.
func (p *Person) WaitText(ctx context.Context, part string) (botapi.ChatMessage, error) {
	return p.WaitMessage(ctx, func(m botapi.ChatMessage) bool {
		return m.IsOutgoing && strings.Contains(m.Text+m.Caption, part)
	})
}

// Press waits for a button whose text contains the part, presses the newest such one, and waits for the bot's answer.
func (p *Person) Press(ctx context.Context, part string) (botapi.CallbackAnswer, error) {
	var data string
	m, err := p.WaitMessage(ctx, func(m botapi.ChatMessage) bool {
		button, ok := FindButton(m, part)
		data = button.CallbackData
		return ok && data != ""
	})
	if err != nil {
		return botapi.CallbackAnswer{}, err
	}
	return p.PressData(ctx, m.MessageID, data)
}

// PressData presses the button with this data and waits for the bot's answer.
func (p *Person) PressData(ctx context.Context, message int, data string) (botapi.CallbackAnswer, error) {
	id, err := p.Tap(ctx, Tap{MessageID: message, Data: data})
	if err != nil {
		return botapi.CallbackAnswer{}, err
	}
	return p.Answer(ctx, id)
}

// Tap is one press. Forged data need not be on any button; Owner then names another person's chat.
type Tap struct {
	MessageID int    `json:"message_id"`
	Data      string `json:"data"`
	Forged    bool   `json:"forged,omitempty"`
	Owner     int64  `json:"owner,omitempty"`
}

// Tap presses without waiting and gives the id of the callback query.
func (p *Person) Tap(ctx context.Context, tap Tap) (string, error) {
	var pressed botapi.CallbackAnswer
	err := p.do(ctx, http.MethodPost, "/press", tap, &pressed)
	return pressed.CallbackQueryID, err
}

// Answer waits for the bot's answer to a pressed button; IsAnswered is false when there was none in time.
func (p *Person) Answer(ctx context.Context, callback string) (botapi.CallbackAnswer, error) {
	var answer botapi.CallbackAnswer
	err := p.do(ctx, http.MethodGet, fmt.Sprintf("/callbacks/%s?wait=%d", url.PathEscape(callback), answerSeconds), nil, &answer)
	return answer, err
}

// Pay pays the invoice in a message.
func (p *Person) Pay(ctx context.Context, message int) (botapi.PaymentResult, error) {
	return p.pay(ctx, map[string]any{"message_id": message})
}

// PayDeclined tries to pay with a card that the bank refuses after the bot has agreed.
func (p *Person) PayDeclined(ctx context.Context, message int) (botapi.PaymentResult, error) {
	return p.pay(ctx, map[string]any{"message_id": message, "decline": true})
}

// PayLink pays an invoice by its address, https://t.me/$slug.
func (p *Person) PayLink(ctx context.Context, address string) (botapi.PaymentResult, error) {
	return p.pay(ctx, map[string]any{"slug": address[strings.LastIndex(address, "$")+1:]})
}

func (p *Person) pay(ctx context.Context, body any) (botapi.PaymentResult, error) {
	var result botapi.PaymentResult
	err := p.do(ctx, http.MethodPost, "/pay", body, &result)
	return result, err
}

// Block blocks the bot.
func (p *Person) Block(ctx context.Context) error {
	return p.do(ctx, http.MethodPost, "/block", nil, nil)
}

// Unblock unblocks the bot.
func (p *Person) Unblock(ctx context.Context) error {
	return p.do(ctx, http.MethodPost, "/unblock", nil, nil)
}

// Update sends the bot any update of a kind, as a forger would cause it, and gives its id.
func (p *Person) Update(ctx context.Context, kind string, object any) (int64, error) {
	var sent struct {
		UpdateID int64 `json:"update_id"`
	}
	err := p.do(ctx, http.MethodPost, "/updates", map[string]any{"kind": kind, "object": object}, &sent)
	return sent.UpdateID, err
}

// File reads a photo or a document.
func (p *Person) File(ctx context.Context, id string) ([]byte, error) {
	var data []byte
	err := p.client.call(ctx, http.MethodGet, "/api/files/"+url.PathEscape(id), nil, &data)
	return data, err
}

// FindButton finds the first button whose text contains the part.
func FindButton(m botapi.ChatMessage, part string) (botapi.Button, bool) {
	if m.ReplyMarkup == nil {
		return botapi.Button{}, false
	}
	for _, row := range m.ReplyMarkup.Rows {
		for _, button := range row {
			if strings.Contains(button.Text, part) {
				return button, true
			}
		}
	}
	return botapi.Button{}, false
}

// Transcript writes a chat for people to read: one line a message, buttons in brackets.
func Transcript(view botapi.ChatView) string {
	var out strings.Builder
	for _, m := range view.Messages {
		from := view.Person.FirstName
		if m.IsOutgoing {
			from = "bot"
		}
		fmt.Fprintf(&out, "%4d %s: %s%s", m.MessageID, from, m.Text, m.Caption)
		switch {
		case m.Photo != nil:
			out.WriteString(" (photo)")
		case m.Document != nil:
			out.WriteString(" (file " + m.Document.FileName + ")")
		case m.Invoice != nil:
			fmt.Fprintf(&out, "(invoice %q %d %s)", m.Invoice.Title, m.Invoice.TotalAmount, m.Invoice.Currency)
		case m.SuccessfulPayment != nil:
			fmt.Fprintf(&out, "(paid %d %s)", m.SuccessfulPayment.TotalAmount, m.SuccessfulPayment.Currency)
		case m.RefundedPayment != nil:
			fmt.Fprintf(&out, "(refunded %d %s)", m.RefundedPayment.TotalAmount, m.RefundedPayment.Currency)
		}
		if m.ReplyMarkup != nil {
			for _, row := range m.ReplyMarkup.Rows {
				out.WriteString("\n       ")
				for _, button := range row {
					out.WriteString("[" + button.Text + "] ")
				}
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

// call sends a request and decodes the answer; a *[]byte takes it as it is.
func (c *Client) call(ctx context.Context, method, path string, body, result any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime+(waitSeconds+answerSeconds)*time.Second)
	defer cancel()
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return errors.Wrap(err, "encode request")
		}
		content = bytes.NewReader(raw)
	}
	address := c.base + path
	if c.bot != "" {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		address += separator + "bot=" + url.QueryEscape(c.bot)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return errors.Wrap(err, "make request")
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return errors.Wrap(err, "persons' API")
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return errors.Wrap(err, "persons' API")
	}
	if response.StatusCode >= http.StatusBadRequest {
		var refusal struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(raw, &refusal) != nil {
			refusal.Error = http.StatusText(response.StatusCode)
		}
		return &Error{Status: response.StatusCode, Text: refusal.Error}
	}
	if into, ok := result.(*[]byte); ok {
		*into = raw
		return nil
	}
	if result == nil {
		return nil
	}
	return errors.Wrap(json.Unmarshal(raw, result), "decode answer")
}
