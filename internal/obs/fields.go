// Package obs is how processes tell what they do: one form of log line, one correlation id from an update of Telegram
// to SQL, to the worker, to the message that goes out; metrics, and the answers to "are you alive" and "are you ready".
package obs

import (
	"log/slog"
	"time"
)

// The fields that log lines are made of. Others may be added to a line, but these always have these names.
const (
	FieldComponent     = "component"
	FieldOperation     = "operation"
	FieldOutcome       = "outcome"
	FieldDuration      = "duration"
	FieldCorrelationID = "correlation_id"
	FieldTelegramID    = "telegram_id"
	FieldError         = "error"
)

// The outcomes that log lines and metrics use.
const (
	OutcomeOK      = "ok"
	OutcomeRefused = "refused"
	OutcomeFailed  = "failed"
	OutcomeRetried = "retried"
)

// Operation names what was done.
func Operation(name string) slog.Attr { return slog.String(FieldOperation, name) }

// Outcome says how it ended.
func Outcome(outcome string) slog.Attr { return slog.String(FieldOutcome, outcome) }

// Took is the time since start.
func Took(start time.Time) slog.Attr { return slog.Duration(FieldDuration, time.Since(start)) }

// Err carries an error. What it may contain of tokens and keys is removed when the line is written.
func Err(err error) slog.Attr { return slog.Any(FieldError, err) }
