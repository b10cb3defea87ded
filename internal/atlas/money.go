package atlas

import (
	"errors"
	"strconv"
	"strings"
)

// Kopecks is an amount of roubles in hundredths. It has no way to print itself for people: that needs a language.
type Kopecks int64

// Rouble is one rouble; MaxAmount is the largest amount that any function accepts (10^12 kopecks).
const (
	Rouble    Kopecks = 100
	MaxAmount Kopecks = 1_000_000_000_000
)

// ErrMalformedAmount is returned for text that is not an exact amount of at most two decimal places.
var ErrMalformedAmount = errors.New("malformed amount")

// Roubles makes an amount of whole roubles.
func Roubles(n int64) Kopecks { return Kopecks(n) * Rouble }

// Split gives the whole roubles and the rest in kopecks. Both carry the sign of the amount.
func (k Kopecks) Split() (roubles, kopecks int64) {
	return int64(k / Rouble), int64(k % Rouble)
}

// Decimal is the machine's form that payment providers expect: "149.00". It is not for people.
func (k Kopecks) Decimal() string {
	sign, rest := "", uint64(k) //nolint:gosec // negated below; right for the smallest number too
	if k < 0 {
		sign, rest = "-", -rest
	}
	digits := strconv.FormatUint(rest%uint64(Rouble), 10)
	if len(digits) < 2 {
		digits = "0" + digits
	}
	return sign + strconv.FormatUint(rest/uint64(Rouble), 10) + "." + digits
}

// ParseDecimal reads a decimal number of roubles ("149", "149.5", "149.00") exactly, without floating point. Digits
// after the second decimal place must be zero. Signs, spaces and exponents are malformed.
func ParseDecimal(text string) (Kopecks, error) {
	amount, err := ParseMinor(text, 2)
	return Kopecks(amount), err
}

// ParseMinor reads a decimal number exactly, in units of the given decimal place: "1.5" with 8 places is 150000000.
func ParseMinor(text string, places int) (int64, error) {
	whole, fraction, hasPoint := strings.Cut(text, ".")
	if !isDigits(whole) || hasPoint && !isDigits(fraction) {
		return 0, ErrMalformedAmount
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > places {
		return 0, ErrMalformedAmount
	}
	amount, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", places-len(fraction)), 10, 64)
	if err != nil {
		return 0, ErrMalformedAmount
	}
	return amount, nil
}

func isDigits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}
