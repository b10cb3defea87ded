package worker

import (
	"context"
	"time"

	"atlas-secure/internal/sqlapi"
)

// Messenger renders a message of the outbox in the user's language and sends it through the one rate-limited sender.
//
//   - nil: Telegram took it.
//   - an error that is, or wraps, an Undelivered: certainly nothing was delivered (403, 400, 429, connection refused, a
//     template that does not render). The message is tried again later, or given up if IsUnreachable.
//   - an Undelivered that is a Postponed: no message can be sent now, so that it is given back and costs no attempt.
//   - any other error: nobody knows (a timeout after sending, a broken connection). The message is not touched again; its
//     lease runs out and SQL closes it as lost, or gives it out once more if it is a key.
type Messenger interface {
	Deliver(ctx context.Context, message sqlapi.Message) error
}

// Undelivered is an error of a Messenger that is certain that nothing arrived. IsUnreachable means that this user takes no
// messages at all (the bot was blocked, the account is gone).
type Undelivered interface {
	error
	IsUnreachable() bool
}

// Postponed is an Undelivered that is no fault of the message's: Telegram says "later", or cannot be reached. Wait is how
// long to leave it alone.
type Postponed interface {
	Undelivered
	Wait() time.Duration
}
