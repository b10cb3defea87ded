package botapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pkg/errors"
)

// apiError is an answer with ok false, in Telegram's words.
type apiError struct {
	Code        int
	Description string
	RetryAfter  int // seconds; only with 429
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Description) }

// badRequest makes a 400. Like the Bot API server it writes a sentence with a small first letter and leaves codes
// (BUTTON_DATA_INVALID) as they are.
func badRequest(format string, args ...any) *apiError {
	text := fmt.Sprintf(format, args...)
	if len(text) > 1 && text[1] != '_' && (text[1] < 'A' || text[1] > 'Z') {
		text = strings.ToLower(text[:1]) + text[1:]
	}
	return &apiError{Code: http.StatusBadRequest, Description: "Bad Request: " + text}
}

func conflict(text string) *apiError {
	return &apiError{Code: http.StatusConflict, Description: "Conflict: " + text}
}

func tooManyRequests(seconds int) *apiError {
	return &apiError{
		Code: http.StatusTooManyRequests, Description: fmt.Sprintf("Too Many Requests: retry after %d", seconds), RetryAfter: seconds,
	}
}

// The answers that several methods give.
var (
	errUnauthorized   = &apiError{Code: http.StatusUnauthorized, Description: "Unauthorized"}
	errNoMethod       = &apiError{Code: http.StatusNotFound, Description: "Not Found: method not found"}
	errNotFound       = &apiError{Code: http.StatusNotFound, Description: "Not Found"}
	errBlocked        = &apiError{Code: http.StatusForbidden, Description: "Forbidden: bot was blocked by the user"}
	errChatNotFound   = badRequest("chat not found")
	errNotModified    = badRequest("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	errQueryTooOld    = badRequest("query is too old and response timeout expired or query ID is invalid")
	errPollReplaced   = conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
	errPollByWebhook  = conflict("terminated by setWebhook request")
	errWebhookIsSet   = conflict("can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
	errServerShutdown = &apiError{Code: http.StatusInternalServerError, Description: "Internal Server Error: restart"}
)

// personError is an answer of the persons' API.
type personError struct {
	Status int
	Text   string
}

func (e *personError) Error() string { return e.Text }

func refuse(status int, format string, args ...any) error {
	return &personError{Status: status, Text: fmt.Sprintf(format, args...)}
}

// asAPIError gives the answer for any error of a method: an internal one becomes a 500.
func asAPIError(err error) *apiError {
	var answer *apiError
	if errors.As(err, &answer) {
		return answer
	}
	return &apiError{Code: http.StatusInternalServerError, Description: "Internal Server Error: " + err.Error()}
}
