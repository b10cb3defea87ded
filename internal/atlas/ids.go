package atlas

import (
	"errors"
	"strings"
)

// TelegramID is a person's number at Telegram: positive, at most 52 bits.
type TelegramID int64

// MaxTelegramID is the largest number that Telegram promises to give a person.
const MaxTelegramID TelegramID = 1<<52 - 1

// IsValid says whether the number can belong to a person. Groups and channels are negative.
func (id TelegramID) IsValid() bool { return id > 0 && id <= MaxTelegramID }

// PurchaseID is the opaque uuid that buttons and invoices carry, in lower case with dashes.
type PurchaseID string

// OfferID is the opaque uuid that buttons carry for a tariff and period on sale.
type OfferID string

// ErrMalformedID is returned for text that cannot be an id, before anything is looked up.
var ErrMalformedID = errors.New("malformed id")

// ParsePurchaseID accepts the canonical form of a uuid only (36 characters), because that is what our buttons carry.
func ParsePurchaseID(text string) (PurchaseID, error) {
	if !isUUID(text) {
		return "", ErrMalformedID
	}
	return PurchaseID(strings.ToLower(text)), nil
}

// DraftID is the opaque uuid that the confirm buttons of a withdrawal carry, in the form of a PurchaseID.
type DraftID string

// ParseDraftID accepts what ParsePurchaseID accepts.
func ParseDraftID(text string) (DraftID, error) {
	if !isUUID(text) {
		return "", ErrMalformedID
	}
	return DraftID(strings.ToLower(text)), nil
}

func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			isHex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
			if !isHex {
				return false
			}
		}
	}
	return true
}

// Language is a code of a text catalogue, such as "ru".
type Language string

// The catalogues every release has. Russian is the canonical one.
const (
	Russian Language = "ru"
	English Language = "en"
)
