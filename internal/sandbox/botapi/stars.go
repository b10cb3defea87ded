package botapi

import (
	"slices"
	"strings"
	"time"
)

// starTransaction is one movement of the bot's Stars; a refund has the id of its payment.
type starTransaction struct {
	ID       string       `json:"id"`
	Amount   int64        `json:"amount"`
	Date     int64        `json:"date"`
	Source   *starPartner `json:"source,omitempty"`   // of what came in
	Receiver *starPartner `json:"receiver,omitempty"` // of what went out
	at       time.Time
}

// starPartner is the other side, always a person here.
type starPartner struct {
	Type            string `json:"type"`
	TransactionType string `json:"transaction_type"`
	User            User   `json:"user"`
	InvoicePayload  string `json:"invoice_payload,omitempty"`
}

// getStarTransactions lists payments in Stars and refunds of them, the oldest first.
func (s *Server) getStarTransactions(c *call) (any, error) {
	transactions := []starTransaction{}
	for _, p := range s.state.payments {
		if p.BotKey != c.bot.Key || p.Terms.Invoice.Currency != Stars || p.PaidAt.IsZero() {
			continue
		}
		person := s.state.people[p.Person]
		partner := &starPartner{Type: "user", TransactionType: "invoice_payment", User: person.user(), InvoicePayload: p.Terms.Payload}
		moved := starTransaction{ID: p.TelegramChargeID, Amount: p.Terms.Invoice.TotalAmount}
		paid := moved
		paid.Source, paid.at, paid.Date = partner, p.PaidAt, p.PaidAt.Unix()
		transactions = append(transactions, paid)
		if !p.RefundedAt.IsZero() {
			refunded := moved
			refunded.Receiver, refunded.at, refunded.Date = partner, p.RefundedAt, p.RefundedAt.Unix()
			transactions = append(transactions, refunded)
		}
	}
	slices.SortFunc(transactions, func(a, b starTransaction) int {
		switch order := a.at.Compare(b.at); {
		case order != 0:
			return order
		case a.ID == b.ID && a.Receiver == nil: // the payment comes before its refund
			return -1
		case a.ID == b.ID:
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	offset := min(c.args.integer("offset", 0, 0, 1<<31-1), len(transactions))
	limit := c.args.integer("limit", 100, 1, 100)
	return map[string]any{"transactions": transactions[offset:min(offset+limit, len(transactions))]}, nil
}
