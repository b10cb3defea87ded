package cryptopay

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The statuses of an invoice.
const (
	statusActive  = "active"
	statusPaid    = "paid"
	statusExpired = "expired"
)

// invoice is an Invoice of the API; its fields go over the wire as they are.
type invoice struct {
	ID             int64      `json:"invoice_id"`
	Hash           string     `json:"hash"`
	CurrencyType   string     `json:"currency_type"`
	Asset          string     `json:"asset,omitempty"`
	Fiat           string     `json:"fiat,omitempty"`
	Amount         string     `json:"amount"`
	PaidAsset      string     `json:"paid_asset,omitempty"`
	PaidAmount     string     `json:"paid_amount,omitempty"`
	PaidFiatRate   string     `json:"paid_fiat_rate,omitempty"`
	PaidUSDRate    string     `json:"paid_usd_rate,omitempty"`
	AcceptedAssets []string   `json:"accepted_assets,omitempty"`
	FeeAsset       string     `json:"fee_asset,omitempty"`
	FeeAmount      string     `json:"fee_amount,omitempty"`
	PayURL         string     `json:"pay_url"`
	BotURL         string     `json:"bot_invoice_url"`
	MiniAppURL     string     `json:"mini_app_invoice_url"`
	WebAppURL      string     `json:"web_app_invoice_url"`
	Description    string     `json:"description,omitempty"`
	Status         string     `json:"status"`
	CreatedAt      time.Time  `json:"created_at"`
	AllowComments  bool       `json:"allow_comments"`
	AllowAnonymous bool       `json:"allow_anonymous"`
	ExpirationDate *time.Time `json:"expiration_date,omitempty"`
	PaidAt         *time.Time `json:"paid_at,omitempty"`
	PaidAnonymous  bool       `json:"paid_anonymously"`
	Payload        string     `json:"payload,omitempty"`
	PaidBtnName    string     `json:"paid_btn_name,omitempty"`
	PaidBtnURL     string     `json:"paid_btn_url,omitempty"`
}

var (
	assets = []string{"USDT", "TON", "BTC", "ETH", "LTC", "BNB", "TRX", "USDC"}
	fiats  = []string{"USD", "EUR", "RUB", "BYN", "UAH", "GBP", "CNY", "KZT", "UZS", "GEL", "TRY", "AMD", "THB", "INR", "BRL",
		"IDR", "AZN", "AED", "PLN", "ILS"}
	amountPattern = regexp.MustCompile(`^\d{1,12}(\.\d{1,18})?$`)
	btnNames      = []string{"viewItem", "openChannel", "openBot", "callback"}
)

// The rate that a paid fiat invoice shows: one dollar of USDT costs this much.
var fiatRate = big.NewRat(80, 1)

// maxExpiry is 31 days.
const maxExpiry = 31 * 24 * 60 * 60

// newInvoice checks the arguments of createInvoice.
func newInvoice(args arguments, now time.Time) (*invoice, *apiError) {
	i := &invoice{
		Hash: randomHash(), Status: statusActive, CreatedAt: now.UTC().Truncate(time.Millisecond), CurrencyType: args.text("currency_type"),
		Amount: args.text("amount"), Description: args.text("description"), Payload: args.text("payload"),
		PaidBtnName: args.text("paid_btn_name"), PaidBtnURL: args.text("paid_btn_url"),
		AllowComments: args.flag("allow_comments", true), AllowAnonymous: args.flag("allow_anonymous", true),
	}
	switch i.CurrencyType {
	case "", "crypto":
		i.CurrencyType, i.Asset = "crypto", args.text("asset")
		if !slices.Contains(assets, i.Asset) {
			return nil, refused("ASSET_INVALID")
		}
	case "fiat":
		i.Fiat, i.AcceptedAssets = args.text("fiat"), assets
		if !slices.Contains(fiats, i.Fiat) {
			return nil, refused("FIAT_INVALID")
		}
		if accepted := args.text("accepted_assets"); accepted != "" {
			i.AcceptedAssets = strings.Split(accepted, ",")
		}
	default:
		return nil, refused("CURRENCY_TYPE_INVALID")
	}
	amount, ok := new(big.Rat).SetString(i.Amount)
	seconds, isNumber := args.number("expires_in", 0)
	switch {
	case !amountPattern.MatchString(i.Amount) || !ok || amount.Sign() <= 0:
		return nil, refused("AMOUNT_INVALID")
	case len([]rune(i.Description)) > 1024:
		return nil, refused("DESCRIPTION_TOO_LONG")
	case len(i.Payload) > 4096:
		return nil, refused("PAYLOAD_TOO_LONG")
	case !isNumber || args.has("expires_in") && (seconds < 1 || seconds > maxExpiry):
		return nil, refused("EXPIRES_IN_INVALID")
	case i.PaidBtnName != "" && !slices.Contains(btnNames, i.PaidBtnName):
		return nil, refused("PAID_BTN_NAME_INVALID")
	case i.PaidBtnName != "" && !strings.HasPrefix(i.PaidBtnURL, "https://") && !strings.HasPrefix(i.PaidBtnURL, "http://"):
		return nil, refused("PAID_BTN_URL_INVALID")
	}
	if seconds > 0 {
		at := i.CreatedAt.Add(time.Duration(seconds) * time.Second)
		i.ExpirationDate = &at
	}
	return i, nil
}

// expire changes the status of an invoice whose time is over.
func (i *invoice) expire(now time.Time) bool {
	if i.Status != statusActive || i.ExpirationDate == nil || now.Before(*i.ExpirationDate) {
		return false
	}
	i.Status = statusExpired
	return true
}

// paid is the invoice as it is after payment: in crypto, of which 3 % are the fee. An amount of nothing means all of it.
func (i *invoice) paid(now time.Time, amount string) invoice {
	next := *i
	at := now.UTC().Truncate(time.Millisecond)
	next.Status, next.PaidAt, next.PaidUSDRate = statusPaid, &at, "1"
	next.PaidAsset, next.PaidAmount = i.Asset, i.Amount
	if i.CurrencyType == "fiat" {
		total, _ := new(big.Rat).SetString(i.Amount) // checked when it was made
		next.PaidAsset, next.PaidFiatRate = "USDT", fiatRate.FloatString(8)
		next.PaidAmount = new(big.Rat).Quo(total, fiatRate).FloatString(8)
	}
	if amount != "" {
		next.PaidAmount = amount
	}
	got, _ := new(big.Rat).SetString(next.PaidAmount)
	next.FeeAsset, next.FeeAmount = next.PaidAsset, new(big.Rat).Mul(got, big.NewRat(3, 100)).FloatString(8)
	return next
}

// currency is what the amount is in.
func (i *invoice) currency() string {
	if i.CurrencyType == "fiat" {
		return i.Fiat
	}
	return i.Asset
}

func (i *invoice) key() string { return fmt.Sprintf("invoice/%d", i.ID) }

func randomHash() string {
	raw := make([]byte, 9)
	_, _ = rand.Read(raw) // never fails
	return "IV" + base64.RawURLEncoding.EncodeToString(raw)
}
