package obs

import (
	"context"
	"io"
	"log/slog"
)

// NewLogger writes a JSON object per line. Correlation and Telegram ids come from the context of each call; tokens, keys
// and passwords are removed wherever they turn up.
func NewLogger(w io.Writer, level slog.Level, component string) *slog.Logger {
	handler := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redactAttr})
	return slog.New(contextHandler{handler}).With(slog.String(FieldComponent, component))
}

// Discard is a logger for tests and tools that have nothing to say.
func Discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// contextHandler adds what the context knows to every record.
type contextHandler struct{ next slog.Handler }

func (h contextHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h contextHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := CorrelationID(ctx); id != "" {
		record.AddAttrs(slog.String(FieldCorrelationID, id))
	}
	if id, ok := telegramID(ctx); ok && !has(record, FieldTelegramID) {
		record.AddAttrs(slog.Int64(FieldTelegramID, id))
	}
	return h.next.Handle(ctx, record) //nolint:wrapcheck // a handler passes its neighbour's error on as it is
}

func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.next.WithAttrs(attrs)}
}

func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.next.WithGroup(name)}
}

func has(record slog.Record, key string) bool {
	found := false
	record.Attrs(func(attr slog.Attr) bool {
		found = attr.Key == key
		return !found
	})
	return found
}
