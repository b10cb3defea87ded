package botapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// updateKinds are what a raw update may be (core.telegram.org/bots/api#update).
var updateKinds = []string{
	"message", "edited_message", "channel_post", "edited_channel_post", "callback_query", "inline_query", "shipping_query",
	"pre_checkout_query", "my_chat_member", "chat_member", "chat_join_request", "message_reaction", "poll", "poll_answer",
}

// act runs what a person does under the lock and writes it.
func (s *Server) act(r *http.Request, run func(*change, *Person, *bot) (any, error)) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, refuse(http.StatusServiceUnavailable, "closing")
	}
	person, b, err := s.actors(r)
	if err != nil {
		return nil, err
	}
	c := s.newChange()
	result, err := run(c, person, b)
	if err != nil {
		return nil, err
	}
	return result, s.commit(c)
}

func (s *Server) postMessage(r *http.Request) (any, error) {
	var body struct {
		Text    string `json:"text"`
		ReplyTo int    `json:"reply_to"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	text, entities := trim(body.Text, nil)
	switch {
	case text == "":
		return nil, refuse(http.StatusBadRequest, "text is empty")
	case characters(text) > maxText:
		return nil, refuse(http.StatusBadRequest, "text is too long")
	}
	entities = withFound(text, entities)
	return s.act(r, func(c *change, person *Person, b *bot) (any, error) {
		ch := b.chat(person.ID)
		if ch.Blocked {
			s.setBlocked(c, b, person, false) // writing to a bot unblocks it
		}
		m := &stored{Message: Message{Text: text, Entities: entities}}
		if to := ch.byID[body.ReplyTo]; to != nil {
			shown := to.Message
			shown.ReplyToMessage = nil
			m.Message.ReplyToMessage = &shown
		}
		return s.personMessage(c, b, person, m), nil
	})
}

func (s *Server) postEdit(r *http.Request) (any, error) {
	var body struct {
		Text string `json:"text"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	text, _ := trim(body.Text, nil)
	if text == "" || characters(text) > maxText {
		return nil, refuse(http.StatusBadRequest, "text is empty or too long")
	}
	id, _ := strconv.Atoi(r.PathValue("message"))
	return s.act(r, func(c *change, person *Person, b *bot) (any, error) {
		ch := b.chat(person.ID)
		m := ch.byID[id]
		if m == nil || m.Outgoing || m.Message.Text == "" {
			return nil, refuse(http.StatusNotFound, "no text message %d of this person", id)
		}
		m.Message.Text, m.Message.Entities, m.Message.EditDate = text, withFound(text, nil), s.now()
		c.saveMessage(b, person.ID, ch, m)
		s.addUpdate(c, b, person.ID, "edited_message", m.Message)
		return m.Message, nil
	})
}

func (s *Server) postPress(r *http.Request) (any, error) {
	var body struct {
		MessageID int    `json:"message_id"`
		Data      string `json:"data"`
		Forged    bool   `json:"forged"`
		Owner     int64  `json:"owner"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	return s.act(r, func(c *change, person *Person, b *bot) (any, error) {
		owner := person.ID
		if body.Forged && body.Owner != 0 {
			owner = body.Owner
		}
		ch := b.chat(owner)
		m := ch.byID[body.MessageID]
		switch {
		case m == nil:
			return nil, refuse(http.StatusNotFound, "no message %d in this chat", body.MessageID)
		case !body.Forged && !m.Message.ReplyMarkup.button(body.Data):
			return nil, refuse(http.StatusConflict, "message %d has no button with this data", body.MessageID)
		}
		pressed := s.press(c, b, person, m, body.Data)
		return CallbackAnswer{CallbackQueryID: pressed.id}, nil
	})
}

func (s *Server) readCallback(r *http.Request) (any, error) {
	s.mu.Lock()
	_, b, err := s.actors(r)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	pressed := b.callbacks[r.PathValue("callback")]
	s.mu.Unlock()
	if pressed == nil {
		return nil, refuse(http.StatusNotFound, "no such callback query")
	}
	s.wait(r, pressed.done, waitOf(r))
	s.mu.Lock()
	defer s.mu.Unlock()
	if pressed.answer == nil {
		return CallbackAnswer{CallbackQueryID: pressed.id}, nil
	}
	return *pressed.answer, nil
}

// wait ends when the channel is closed, the time is over, or one of the sides goes away.
func (s *Server) wait(r *http.Request, done <-chan struct{}, at time.Duration) {
	timer := time.NewTimer(at)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
}

// PaymentResult is what became of a payment.
type PaymentResult struct {
	ID               string        `json:"pre_checkout_query_id"`
	Status           PaymentStatus `json:"status"`
	ErrorMessage     string        `json:"error_message,omitempty"`
	TelegramChargeID string        `json:"telegram_payment_charge_id,omitempty"`
	ProviderChargeID string        `json:"provider_payment_charge_id,omitempty"`
}

func (s *Server) postPay(r *http.Request) (any, error) {
	var body struct {
		MessageID int    `json:"message_id"`
		Slug      string `json:"slug"`
		Decline   bool   `json:"decline"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	begun, err := s.act(r, func(c *change, person *Person, b *bot) (any, error) {
		terms := s.state.links[body.Slug]
		if body.MessageID != 0 {
			m := b.chat(person.ID).byID[body.MessageID]
			switch {
			case m == nil || m.Terms == nil:
				return nil, refuse(http.StatusNotFound, "message %d is no invoice", body.MessageID)
			case m.IsPaid:
				return nil, refuse(http.StatusConflict, "this invoice is paid")
			}
			terms = m.Terms
		}
		if terms == nil || terms.BotKey != b.Key {
			return nil, refuse(http.StatusNotFound, "no such invoice")
		}
		return s.beginPayment(c, b, person, body.MessageID, *terms, body.Decline), nil
	})
	if err != nil {
		return nil, err
	}
	p := begun.(*payment) //nolint:forcetypeassert // what the function above returns
	s.wait(r, p.done, s.opts.PreCheckoutTimeout)
	s.expirePayment(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	return PaymentResult{
		ID: p.ID, Status: p.Status, ErrorMessage: p.ErrorMessage, TelegramChargeID: p.TelegramChargeID,
		ProviderChargeID: p.ProviderChargeID,
	}, nil
}

// readInvoice shows an invoice that was made as a link.
func (s *Server) readInvoice(r *http.Request) (any, error) {
	return s.act(r, func(_ *change, _ *Person, b *bot) (any, error) {
		terms := s.state.links[r.PathValue("slug")]
		if terms == nil || terms.BotKey != b.Key {
			return nil, refuse(http.StatusNotFound, "no such invoice")
		}
		return terms.Invoice, nil
	})
}

func (s *Server) postBlock(r *http.Request) (any, error)   { return s.block(r, true) }
func (s *Server) postUnblock(r *http.Request) (any, error) { return s.block(r, false) }

func (s *Server) block(r *http.Request, blocked bool) (any, error) {
	return s.act(r, func(c *change, person *Person, b *bot) (any, error) {
		s.setBlocked(c, b, person, blocked)
		return map[string]bool{"is_blocked": blocked}, nil
	})
}

// postUpdate sends the bot any update, as a forger or another kind of client would cause it.
func (s *Server) postUpdate(r *http.Request) (any, error) {
	var body struct {
		Kind   string          `json:"kind"`
		Object json.RawMessage `json:"object"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if !slices.Contains(updateKinds, body.Kind) {
		return nil, refuse(http.StatusBadRequest, "unknown kind of update %q", body.Kind)
	}
	if len(body.Object) == 0 || body.Object[0] != '{' {
		return nil, refuse(http.StatusBadRequest, "object must be an object")
	}
	return s.act(r, func(c *change, person *Person, b *bot) (any, error) {
		return map[string]int64{"update_id": s.addUpdate(c, b, person.ID, body.Kind, body.Object)}, nil
	})
}
