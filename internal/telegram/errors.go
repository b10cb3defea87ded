package telegram

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mymmrac/telego/telegoapi"
)

// Class is how a call ended; see the package documentation.
type Class int

// The ways in which a call ends.
const (
	Delivered Class = iota
	Refused
	Unreachable
	Throttled
	NotSent
	Unknown
)

var classNames = [...]string{"delivered", "refused", "unreachable", "throttled", "not_sent", "unknown"}

// String names the class for logs and metrics.
func (c Class) String() string { return classNames[c] }

// ErrNoTimeLeft means that the limits would not let the message out before the caller's deadline. Nothing was sent.
var ErrNoTimeLeft = errors.New("no turn to send before the deadline")

// noTurnError is an ErrNoTimeLeft that knows when the next turn is.
type noTurnError struct{ wait time.Duration }

func (e *noTurnError) Error() string {
	return fmt.Sprintf("%v: the next is in %s", ErrNoTimeLeft, e.wait.Round(time.Millisecond))
}

func (e *noTurnError) Is(target error) bool { return target == ErrNoTimeLeft }

// Classify says how the call that returned err ended.
func Classify(err error) Class {
	var refusal *telegoapi.Error
	var transport *transportError
	switch {
	case err == nil:
		return Delivered
	case errors.Is(err, ErrNoTimeLeft):
		return NotSent
	case errors.As(err, &refusal):
		return classifyRefusal(refusal)
	case errors.As(err, &transport) && !transport.wasSent:
		return NotSent
	default:
		return Unknown
	}
}

func classifyRefusal(refusal *telegoapi.Error) Class {
	switch {
	case refusal.ErrorCode == http.StatusTooManyRequests:
		return Throttled
	case refusal.ErrorCode == http.StatusForbidden, describes(refusal, "chat not found", "user is deactivated"):
		return Unreachable
	case refusal.ErrorCode >= http.StatusInternalServerError:
		return Unknown
	default:
		return Refused
	}
}

// RetryAfter is the time that a 429 asks to wait, or that was left until a message's turn, and zero for everything else.
func RetryAfter(err error) time.Duration {
	var noTurn *noTurnError
	if errors.As(err, &noTurn) {
		return noTurn.wait
	}
	var refusal *telegoapi.Error
	if !errors.As(err, &refusal) || refusal.ErrorCode != http.StatusTooManyRequests {
		return 0
	}
	if refusal.Parameters == nil || refusal.Parameters.RetryAfter <= 0 {
		return time.Second
	}
	return time.Duration(refusal.Parameters.RetryAfter) * time.Second
}

// IsConflict says whether somebody else reads this bot's updates (409).
func IsConflict(err error) bool { return hasCode(err, http.StatusConflict) }

// IsWebhookActive says whether updates cannot be polled because a webhook is set.
func IsWebhookActive(err error) bool {
	return IsConflict(err) && isDescribed(err, "webhook is active")
}

// IsUnauthorized says whether Telegram does not know the token (401, or 404 for a malformed one).
func IsUnauthorized(err error) bool {
	return hasCode(err, http.StatusUnauthorized) || hasCode(err, http.StatusNotFound)
}

// isNotModified says whether an edit changed nothing because the message looks like that already.
func isNotModified(err error) bool { return isDescribed(err, "message is not modified") }

// IsQueryOver says whether a button press or a pre-checkout query was answered before, or is too old to be answered.
func IsQueryOver(err error) bool {
	return isDescribed(err, "query is too old", "query id is invalid", "query_id_invalid")
}

// IsRefunded says whether a payment in Stars was not refunded because it was before.
func IsRefunded(err error) bool { return isDescribed(err, "charge_already_refunded") }

func hasCode(err error, code int) bool {
	var refusal *telegoapi.Error
	return errors.As(err, &refusal) && refusal.ErrorCode == code
}

func isDescribed(err error, phrases ...string) bool {
	var refusal *telegoapi.Error
	return errors.As(err, &refusal) && describes(refusal, phrases...)
}

func describes(refusal *telegoapi.Error, phrases ...string) bool {
	description := strings.ToLower(refusal.Description)
	for _, phrase := range phrases {
		if strings.Contains(description, phrase) {
			return true
		}
	}
	return false
}
