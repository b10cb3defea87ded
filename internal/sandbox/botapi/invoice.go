package botapi

import (
	"regexp"
	"strings"
)

// Stars is the currency of Telegram Stars.
const Stars = "XTR"

// totals are the smallest and largest amounts of an invoice, in the currency's smallest unit.
var totals = map[string][2]int64{
	Stars: {1, 100_000},
	"RUB": {6_400, 64_000_000},
	"USD": {100, 1_000_000},
	"EUR": {100, 1_000_000},
}

var currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)

// invoiceArgument reads and checks the arguments that sendInvoice and createInvoiceLink share.
func invoiceArgument(c *call) (*invoiceTerms, error) {
	terms := &invoiceTerms{BotKey: c.bot.Key, ProviderToken: c.args.text("provider_token"), PhotoURL: c.args.text("photo_url")}
	texts := []struct {
		name   string
		target *string
	}{
		{"title", &terms.Invoice.Title},
		{"description", &terms.Invoice.Description},
		{"payload", &terms.Payload},
		{"currency", &terms.Invoice.Currency},
	}
	for _, text := range texts {
		value, err := c.args.required(text.name)
		if err != nil {
			return nil, err
		}
		*text.target = value
	}
	terms.Invoice.StartParameter = c.args.text("start_parameter")
	if _, err := c.args.required("prices"); err != nil {
		return nil, err
	}
	if err := c.args.object("prices", "prices", &terms.Prices); err != nil {
		return nil, err
	}
	if len(terms.Prices) == 0 {
		return nil, badRequest("there must be at least one price")
	}
	for _, price := range terms.Prices {
		if strings.TrimSpace(price.Label) == "" {
			return nil, badRequest("can't parse labeled price: LabeledPrice label must be non-empty")
		}
		terms.Invoice.TotalAmount += price.Amount
	}
	return terms, terms.check()
}

func (t *invoiceTerms) check() error {
	switch {
	case characters(t.Invoice.Title) > 32:
		return badRequest("INVOICE_TITLE_INVALID")
	case characters(t.Invoice.Description) > 255:
		return badRequest("INVOICE_DESCRIPTION_INVALID")
	case len(t.Payload) > 128:
		return badRequest("INVOICE_PAYLOAD_INVALID")
	case !currencyPattern.MatchString(t.Invoice.Currency):
		return badRequest("CURRENCY_INVALID")
	case t.Invoice.Currency == Stars && (t.ProviderToken != "" || len(t.Prices) != 1):
		return badRequest("STARS_INVOICE_INVALID")
	case t.Invoice.Currency != Stars && t.ProviderToken == "":
		return badRequest("PAYMENT_PROVIDER_INVALID")
	}
	bounds, ok := totals[t.Invoice.Currency]
	if !ok {
		bounds = [2]int64{1, 1 << 40}
	}
	if t.Invoice.TotalAmount < bounds[0] || t.Invoice.TotalAmount > bounds[1] {
		return badRequest("CURRENCY_TOTAL_AMOUNT_INVALID")
	}
	return nil
}

func (s *Server) sendInvoice(c *call) (any, error) {
	out, err := s.newMessage(c)
	if err != nil {
		return nil, err
	}
	terms, err := invoiceArgument(c)
	if err != nil {
		return nil, err
	}
	if err := checkPayButton(out.m.Message.ReplyMarkup, true); err != nil {
		return nil, err
	}
	shown := terms.Invoice
	out.m.Message.Invoice, out.m.Terms = &shown, terms
	return s.post(c.change, c.bot, out.person.ID, out.chat, out.m), nil
}

// linkPrefix begins the address of an invoice that was made by createInvoiceLink; the chat page opens it itself.
const linkPrefix = "https://t.me/$"

func (s *Server) createInvoiceLink(c *call) (any, error) {
	terms, err := invoiceArgument(c)
	if err != nil {
		return nil, err
	}
	slug := randomID(12)
	s.state.links[slug] = terms
	c.put("link/"+slug, terms)
	return linkPrefix + slug, nil
}
