package cryptopay

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/pkg/errors"
)

// What a caller may tell apart, with errors.Is.
var (
	// ErrUnavailable means that the outcome is unknown: no answer, a broken one, or a 5xx.
	ErrUnavailable = errors.New("crypto pay is unavailable")
	// ErrUnauthorized means that the token is refused.
	ErrUnauthorized = errors.New("crypto pay refuses the token")
	// ErrBadSignature means that a webhook was not signed with our token.
	ErrBadSignature = errors.New("crypto pay webhook: bad signature")
	// ErrTooLarge means that a webhook's body is larger than any that Crypto Pay sends.
	ErrTooLarge = errors.New("crypto pay webhook: body too large")
	// ErrMalformed means that a signed webhook is not understood.
	ErrMalformed = errors.New("crypto pay webhook: malformed")
)

// Error is a refusal by Crypto Pay. errors.Is knows ErrUnauthorized in it, and ErrUnavailable for 429.
type Error struct {
	Method string
	Status int    // HTTP
	Code   int    // Crypto Pay's
	Name   string // such as AMOUNT_INVALID
}

func (e *Error) Error() string {
	return fmt.Sprintf("crypto pay %s: %d %s", e.Method, e.Code, e.Name)
}

// Is implements errors.Is.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized || e.Code == http.StatusUnauthorized
	case ErrUnavailable:
		return e.Status == http.StatusTooManyRequests
	}
	return false
}

// failure is a call without an answer. It is ErrUnavailable, and shows its cause without the token, should that be in it.
type failure struct {
	method string
	text   string
	cause  error
}

func (f *failure) Error() string { return "crypto pay " + f.method + ": " + f.text }

func (f *failure) Is(target error) bool { return target == ErrUnavailable }

// Unwrap gives the context's error only: others may carry addresses.
func (f *failure) Unwrap() error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(f.cause, known) {
			return known
		}
	}
	return nil
}

func (c *Client) unavailable(method string, err error) error {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	return &failure{method: method, cause: err, text: strings.ReplaceAll(err.Error(), c.token.Reveal(), c.token.String())}
}
