package botapi

import (
	"time"
)

// PaymentStatus says how far a payment is.
type PaymentStatus string

// A payment is checked by the bot (pre_checkout_query) and then ends in one of the other ways.
const (
	PaymentChecking PaymentStatus = "checking"
	PaymentPaid     PaymentStatus = "paid"
	PaymentRefused  PaymentStatus = "refused"   // by the bot
	PaymentTimedOut PaymentStatus = "timed_out" // the bot said nothing in time
	PaymentDeclined PaymentStatus = "declined"  // by the bank, after the bot agreed
	PaymentRefunded PaymentStatus = "refunded"
)

// payment is one try to pay an invoice. Its id is that of its pre-checkout query.
type payment struct {
	ID               string        `json:"id"`
	BotKey           string        `json:"bot_key"`
	Person           int64         `json:"person"`
	MessageID        int           `json:"message_id,omitempty"` // 0: paid by link
	Terms            invoiceTerms  `json:"terms"`
	Status           PaymentStatus `json:"status"`
	ErrorMessage     string        `json:"error_message,omitempty"`
	TelegramChargeID string        `json:"telegram_charge_id,omitempty"`
	ProviderChargeID string        `json:"provider_charge_id,omitempty"`
	PaidAt           time.Time     `json:"paid_at,omitzero"`
	RefundedAt       time.Time     `json:"refunded_at,omitzero"`
	decline          bool
	deadline         time.Time
	done             chan struct{} // closed when the status is final
}

// beginPayment asks the bot whether the person may pay.
func (s *Server) beginPayment(c *change, b *bot, person *Person, message int, terms invoiceTerms, decline bool) *payment {
	p := &payment{
		ID: randomNumber(), BotKey: b.Key, Person: person.ID, MessageID: message, Terms: terms, Status: PaymentChecking,
		decline: decline, deadline: s.opts.Now().Add(s.opts.PreCheckoutTimeout), done: make(chan struct{}),
	}
	s.state.payments[p.ID] = p
	c.put("payment/"+p.ID, p)
	c.touch(b, person.ID, b.chat(person.ID))
	s.addUpdate(c, b, person.ID, "pre_checkout_query", preCheckoutQuery{
		ID: p.ID, From: person.user(), Currency: terms.Invoice.Currency, TotalAmount: terms.Invoice.TotalAmount,
		InvoicePayload: terms.Payload,
	})
	return p
}

// end gives the payment its final status.
func (s *Server) end(c *change, b *bot, p *payment, status PaymentStatus) {
	p.Status = status
	close(p.done)
	c.put("payment/"+p.ID, p)
	c.touch(b, p.Person, b.chat(p.Person))
}

// expirePayment ends a payment whose time is over; it is called by whoever waits for it.
func (s *Server) expirePayment(p *payment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Status != PaymentChecking {
		return
	}
	c := s.newChange()
	s.end(c, s.state.bots[p.BotKey], p, PaymentTimedOut)
	if err := s.commit(c); err != nil {
		s.log.Error("payment not recorded", "operation", "pay", "error", err)
	}
}

func (s *Server) answerPreCheckoutQuery(c *call) (any, error) {
	agreed := c.args.bool("ok")
	message := c.args.text("error_message")
	if !agreed && message == "" {
		return nil, badRequest(`parameter "error_message" is required`)
	}
	p := s.state.payments[c.args.text("pre_checkout_query_id")]
	if p == nil || p.BotKey != c.bot.Key || p.Status != PaymentChecking || s.opts.Now().After(p.deadline) {
		return nil, errQueryTooOld
	}
	switch {
	case !agreed:
		p.ErrorMessage = message
		s.end(c.change, c.bot, p, PaymentRefused)
	case p.decline:
		s.end(c.change, c.bot, p, PaymentDeclined)
	default:
		s.settle(c, p)
	}
	return true, nil
}

// settle takes the money: the charge gets its ids and the bot its successful_payment, written in one piece.
func (s *Server) settle(c *call, p *payment) {
	p.TelegramChargeID = "stx" + randomID(24)
	p.ProviderChargeID = "sandbox_" + randomID(12)
	if p.Terms.Invoice.Currency == Stars {
		p.ProviderChargeID = "" // Telegram has no other provider for Stars
	}
	p.PaidAt = s.opts.Now()
	s.end(c.change, c.bot, p, PaymentPaid)
	ch := c.bot.chat(p.Person)
	if invoice := ch.byID[p.MessageID]; invoice != nil {
		invoice.IsPaid = true
		c.saveMessage(c.bot, p.Person, ch, invoice)
	}
	person := s.state.people[p.Person]
	s.personMessage(c.change, c.bot, person, &stored{Message: Message{SuccessfulPayment: &SuccessfulPayment{
		Currency: p.Terms.Invoice.Currency, TotalAmount: p.Terms.Invoice.TotalAmount, InvoicePayload: p.Terms.Payload,
		TelegramPaymentChargeID: p.TelegramChargeID, ProviderPaymentChargeID: p.ProviderChargeID,
	}}})
}

// refundStarPayment gives Stars back; both sides see it as a service message.
func (s *Server) refundStarPayment(c *call) (any, error) {
	user := int64(c.args.integer("user_id", 0, 0, 1<<52))
	if user == 0 {
		return nil, badRequest("invalid user_id specified")
	}
	charge, err := c.args.required("telegram_payment_charge_id")
	if err != nil {
		return nil, err
	}
	for _, p := range s.state.payments {
		if p.TelegramChargeID != charge || p.BotKey != c.bot.Key || p.Person != user || p.Terms.Invoice.Currency != Stars {
			continue
		}
		if p.Status == PaymentRefunded {
			return nil, badRequest("CHARGE_ALREADY_REFUNDED")
		}
		p.Status, p.RefundedAt = PaymentRefunded, s.opts.Now()
		c.put("payment/"+p.ID, p)
		s.personMessage(c.change, c.bot, s.state.people[user], &stored{Message: Message{RefundedPayment: &RefundedPayment{
			Currency: Stars, TotalAmount: p.Terms.Invoice.TotalAmount, InvoicePayload: p.Terms.Payload,
			TelegramPaymentChargeID: charge, ProviderPaymentChargeID: p.ProviderChargeID,
		}}})
		return true, nil
	}
	return nil, badRequest("CHARGE_NOT_FOUND")
}
