package worker

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule says when a job runs next.
type Schedule interface {
	// Next gives the first time after the one given.
	Next(after time.Time) time.Time
}

const maxSeconds = 24 * 60 * 60

// ParseSchedule reads "N seconds" or a cron expression of five fields, which is in UTC.
func ParseSchedule(text string) (Schedule, error) {
	number, unit, isPair := strings.Cut(strings.TrimSpace(text), " ")
	if isPair && (unit == "seconds" || unit == "second") {
		seconds, err := strconv.Atoi(number)
		if err != nil || seconds < 1 || seconds > maxSeconds {
			return nil, fmt.Errorf("schedule %q: must be 1 to %d seconds", text, maxSeconds)
		}
		return every(time.Duration(seconds) * time.Second), nil
	}
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", text, err)
	}
	return inUTC{parsed}, nil
}

type every time.Duration

func (e every) Next(after time.Time) time.Time { return after.Add(time.Duration(e)) }

type inUTC struct{ schedule cron.Schedule }

func (s inUTC) Next(after time.Time) time.Time { return s.schedule.Next(after.UTC()) }
