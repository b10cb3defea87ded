package cryptopay

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"

	"atlas-secure/internal/atlas"
)

// Status of an invoice.
type Status string

// The statuses; there is no other.
const (
	StatusActive  Status = "active"
	StatusPaid    Status = "paid"
	StatusExpired Status = "expired"
)

// Invoice is Crypto Pay's invoice, as far as we use it. Amounts are decimal strings: of Fiat when CurrencyType is fiat,
// else of Asset; PaidAmount is of PaidAsset always.
type Invoice struct {
	ID             int64     `json:"invoice_id"`
	Hash           string    `json:"hash"`
	Status         Status    `json:"status"`
	CurrencyType   string    `json:"currency_type"`
	Fiat           string    `json:"fiat,omitempty"`
	Asset          string    `json:"asset,omitempty"`
	Amount         Decimal   `json:"amount"`
	PaidAsset      string    `json:"paid_asset,omitempty"`
	PaidAmount     Decimal   `json:"paid_amount,omitempty"`
	PaidFiatRate   Decimal   `json:"paid_fiat_rate,omitempty"`
	FeeAsset       string    `json:"fee_asset,omitempty"`
	FeeAmount      Decimal   `json:"fee_amount,omitempty"`
	BotInvoiceURL  string    `json:"bot_invoice_url"`
	MiniAppURL     string    `json:"mini_app_invoice_url"`
	WebAppURL      string    `json:"web_app_invoice_url"`
	Description    string    `json:"description,omitempty"`
	Payload        string    `json:"payload,omitempty"`
	CreatedAt      time.Time `json:"created_at"`
	ExpirationDate time.Time `json:"expiration_date,omitzero"`
	PaidAt         time.Time `json:"paid_at,omitzero"`
}

// Currency is what Amount is in.
func (i Invoice) Currency() string {
	if i.CurrencyType == "fiat" {
		return i.Fiat
	}
	return i.Asset
}

// Kopecks is the amount of an invoice in roubles; any other currency is an error.
func (i Invoice) Kopecks() (atlas.Kopecks, error) {
	if i.Currency() != "RUB" {
		return 0, errors.Errorf("crypto pay: invoice %d is in %s, not in RUB", i.ID, i.Currency())
	}
	amount, err := atlas.ParseDecimal(string(i.Amount))
	return amount, errors.Wrapf(err, "crypto pay: amount of invoice %d", i.ID)
}

// ChargeID names the invoice where payments of all providers are kept.
func (i Invoice) ChargeID() string { return strconv.FormatInt(i.ID, 10) }

// Decimal is an exact decimal number; Crypto Pay writes most of them as strings and some as numbers.
type Decimal string

// UnmarshalJSON takes both forms.
func (d *Decimal) UnmarshalJSON(raw []byte) error {
	var number json.Number
	if err := json.Unmarshal(raw, &number); err != nil {
		return err //nolint:wrapcheck // json puts the field's name round it
	}
	*d = Decimal(number)
	return nil
}

// invoiceList takes {"items": [...]}, which Crypto Pay sends, and the bare array of its documentation.
type invoiceList []Invoice

func (l *invoiceList) UnmarshalJSON(raw []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "[") {
		return json.Unmarshal(raw, (*[]Invoice)(l)) //nolint:wrapcheck // the caller names the method
	}
	var list struct {
		Items []Invoice `json:"items"`
	}
	err := json.Unmarshal(raw, &list)
	*l = list.Items
	return err //nolint:wrapcheck // the caller names the method
}

func joinIDs(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ",")
}
