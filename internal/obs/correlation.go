package obs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
)

type contextKey int

const (
	correlationKey contextKey = iota
	telegramKey
)

// WithCorrelationID marks everything done under the context as belonging to one chain of events. An update of Telegram
// is "u<update_id>"; a job of the worker takes over the id of the transaction that wrote it.
func WithCorrelationID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, correlationKey, id)
}

// CorrelationID gives the id of the chain, or "" where none was set.
func CorrelationID(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey).(string)
	return id
}

// NewCorrelationID makes an id for a chain that begins here: prefix, a dash and 64 random bits.
func NewCorrelationID(prefix string) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand aborts the process instead
	return prefix + "-" + hex.EncodeToString(random[:])
}

// WithTelegramID puts the person whom this is about into every log line under the context.
func WithTelegramID(ctx context.Context, id int64) context.Context {
	return context.WithValue(ctx, telegramKey, id)
}

func telegramID(ctx context.Context) (int64, bool) {
	id, ok := ctx.Value(telegramKey).(int64)
	return id, ok
}
