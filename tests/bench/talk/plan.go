package talk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Plan says who writes what, and how fast.
type Plan struct {
	First  int64 // the number of the first person
	People int
	Text   string
	// Rate is how many messages a second are written, whatever becomes of them. 0: everybody writes as soon as answered.
	Rate          int
	Warm, Measure time.Duration
}

// Report is what came of it.
type Report struct {
	Answers int
	Took    time.Duration // the measurement
	// The time until an answer, in milliseconds.
	MeanMS, P50MS, P99MS float64
}

// diary collects answers.
type diary struct {
	mu       sync.Mutex
	begins   time.Time // of the measurement; later while it is not known
	took     []time.Duration
	problems []error
}

func (d *diary) note(took time.Duration, err error, ends time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	switch {
	case err != nil:
		d.problems = append(d.problems, err)
	case !d.begins.IsZero() && now.After(d.begins) && now.Before(ends):
		d.took = append(d.took, took)
	}
}

// Run lets the people write. begin is called when the measurement begins, end when it is over.
func (t *Talk) Run(ctx context.Context, p Plan, begin, end func() error) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Warm+p.Measure+patience)
	defer cancel()
	var d diary
	ends := time.Now().Add(p.Warm + p.Measure)
	var people sync.WaitGroup
	if p.Rate > 0 {
		people.Go(func() { t.steady(ctx, p, &d, ends) })
	} else {
		for i := range p.People {
			people.Go(func() {
				for time.Now().Before(ends) && ctx.Err() == nil {
					took, err := t.ask(ctx, p.First+int64(i), p.Text)
					d.note(took, err, ends)
				}
			})
		}
	}
	wait(ctx, p.Warm)
	err := begin()
	d.mu.Lock()
	d.begins = time.Now()
	d.mu.Unlock()
	wait(ctx, time.Until(ends))
	err = errors.Join(err, end())
	people.Wait()
	if n := len(d.problems); n > 0 {
		err = errors.Join(fmt.Errorf("%d messages had no answer; one of them: %w", n, d.problems[0]), err)
	}
	return d.report(ends), err
}

// steady writes at a steady rate, each time somebody else.
func (t *Talk) steady(ctx context.Context, p Plan, d *diary, ends time.Time) {
	ticker := time.NewTicker(time.Second / time.Duration(p.Rate))
	defer ticker.Stop()
	var open sync.WaitGroup
	defer open.Wait()
	for i := 0; time.Now().Before(ends) && ctx.Err() == nil; i++ {
		open.Go(func() {
			took, err := t.ask(ctx, p.First+int64(i%p.People), p.Text)
			d.note(took, err, ends)
		})
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (d *diary) report(ends time.Time) Report {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := Report{Answers: len(d.took), Took: ends.Sub(d.begins)}
	if r.Answers == 0 {
		return r
	}
	slices.Sort(d.took)
	var sum time.Duration
	for _, took := range d.took {
		sum += took
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	r.MeanMS = ms(sum) / float64(r.Answers)
	r.P50MS, r.P99MS = ms(d.took[r.Answers/2]), ms(d.took[r.Answers*99/100])
	return r
}
