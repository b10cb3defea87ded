package telegram

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"atlas-secure/internal/limit"
	"atlas-secure/internal/wait"
)

// Limits is how fast messages may go out. Telegram allows about 30 messages a second in all and one a second to one
// chat, with short bursts.
type Limits struct {
	All  limit.Rule
	Chat limit.Rule
	// Bulk is what messages nobody is waiting for may use of All.
	Bulk limit.Rule
}

// DefaultLimits keeps Telegram's figures.
func DefaultLimits() Limits { return LimitsOf(30, 25) }

// LimitsOf is for a bot that may send so many messages a second, of which bulk messages may use so many. A person tapping
// through screens may be three messages ahead of one a second.
func LimitsOf(all, bulk int) Limits {
	return Limits{
		All:  limit.Rule{Events: all, Per: time.Second, Burst: 10},
		Chat: limit.Rule{Events: 1, Per: time.Second, Burst: 3},
		Bulk: limit.Rule{Events: bulk, Per: time.Second, Burst: 1},
	}
}

// Urgency is whether a person is waiting for the message.
type Urgency int

// Replies go before bulk messages, for which a part of the limit is closed.
const (
	Reply Urgency = iota
	Bulk
	// Called is a bulk message whose turn was awaited before: see Sender.AwaitTurn.
	Called
)

// pace lets messages out one by one. All processes share the buckets while Redis is there.
type pace struct {
	limiter *limit.Limiter
	limits  Limits
}

// gate is shut for as long as a 429 says.
var gate = limit.Gate("{send}:gate")

// wait returns when it is this message's turn, or ErrNoTimeLeft when that would be after ctx's deadline.
func (p pace) wait(ctx context.Context, chatID int64, urgency Urgency) error {
	chat := limit.Bucket{Key: "{send}:chat:" + strconv.FormatInt(chatID, 10), Rule: p.limits.Chat}
	switch urgency {
	case Bulk:
		return p.take(ctx, append(p.bulk(), chat)...)
	case Called:
		return p.take(ctx, gate, chat)
	default:
		return p.take(ctx, gate, p.all(), chat)
	}
}

// waitBulk is wait for a bulk message before it is known to whom.
func (p pace) waitBulk(ctx context.Context) error { return p.take(ctx, p.bulk()...) }

func (p pace) all() limit.Bucket { return limit.Bucket{Key: "{send}:all", Rule: p.limits.All} }

func (p pace) bulk() []limit.Bucket {
	return []limit.Bucket{gate, p.all(), {Key: "{send}:bulk", Rule: p.limits.Bulk}}
}

// waitOpen waits while a 429 is in force, for calls that no other limit counts.
func (p pace) waitOpen(ctx context.Context) error { return p.take(ctx, gate) }

func (p pace) take(ctx context.Context, buckets ...limit.Bucket) error {
	for {
		rest := p.limiter.Take(ctx, buckets...)
		if rest <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < rest {
			return &noTurnError{wait: rest}
		}
		if err := wait.For(ctx, rest); err != nil {
			return fmt.Errorf("%w: %w", ErrNoTimeLeft, err)
		}
	}
}
