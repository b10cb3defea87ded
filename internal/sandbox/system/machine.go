package system

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/cryptopay"
	"atlas-secure/internal/sandbox/panel"
)

// machine is the system as the panel controls it.
type machine struct {
	ctx     context.Context // the system's
	pool    *pgxpool.Pool
	clock   *clock
	family  *family
	servers []*keeper
	others  []*other
}

var _ panel.Machine = (*machine)(nil)

// other is a service of somebody else's, which can misbehave.
type other struct {
	name  string
	modes map[panel.Action]func() error
	order []panel.Action
	mend  func()
	// faults is how many are in force, also those that somebody else has set.
	faults func() int
	condition
	turn sync.Mutex
}

// endless is a fault's count that nobody uses up.
const endless = math.MaxInt32

func cryptoPayModes(s *cryptopay.Server) *other {
	mode := func(f cryptopay.Fault) func() error {
		f.Count = endless
		return func() error { return s.AddFault(f) }
	}
	return newOther("cryptopay", s.ClearFaults, func() int { return len(s.Faults()) }, map[panel.Action]func() error{
		panel.Errors:    mode(cryptopay.Fault{Method: cryptopay.AnyMethod, Action: cryptopay.FaultError}),
		panel.Silence:   mode(cryptopay.Fault{Method: cryptopay.AnyMethod, Action: cryptopay.FaultDelay, DelayMS: 60_000}),
		panel.LoseHooks: mode(cryptopay.Fault{Method: "webhook", Action: cryptopay.FaultDrop}),
	}, panel.Errors, panel.Silence, panel.LoseHooks)
}

func telegramModes(s *botapi.Server) *other {
	mode := func(faults ...botapi.Fault) func() error {
		return func() error {
			for _, f := range faults {
				f.Count = endless
				if _, err := s.AddFault(f); err != nil {
					return err //nolint:wrapcheck // says all by itself
				}
			}
			return nil
		}
	}
	const all, updates = "*", "getupdates"
	return newOther("telegram", s.ClearFaults, func() int { return len(s.Faults()) }, map[panel.Action]func() error{
		panel.Errors: mode(botapi.Fault{Method: all, Action: botapi.FaultError},
			botapi.Fault{Method: updates, Action: botapi.FaultError}),
		panel.Flood:      mode(botapi.Fault{Method: all, Action: botapi.FaultError, RetryAfter: 2}),
		panel.Silence:    mode(botapi.Fault{Method: all, Action: botapi.FaultDelay, DelayMS: 20_000}),
		panel.LoseReply:  mode(botapi.Fault{Method: all, Action: botapi.FaultDrop}),
		panel.Duplicates: mode(botapi.Fault{Method: "update", Action: botapi.FaultDuplicate}),
	}, panel.Errors, panel.Flood, panel.Silence, panel.LoseReply, panel.Duplicates)
}

func newOther(
	name string, mend func(), faults func() int, modes map[panel.Action]func() error, order ...panel.Action,
) *other {
	o := &other{name: name, modes: modes, order: order, mend: mend, faults: faults}
	o.is(panel.Up)
	return o
}

// do changes how the service behaves: one way at a time.
func (o *other) do(action panel.Action) error {
	o.turn.Lock()
	defer o.turn.Unlock()
	misbehave, isMode := o.modes[action]
	if !isMode && action != panel.Mend {
		return panel.Refuse(http.StatusConflict, "%s cannot do %q", o.name, action)
	}
	o.mend()
	if !isMode {
		o.is(panel.Up)
		return nil
	}
	o.is(string(action))
	return misbehave()
}

// view trusts the faults that are in force: others can set and clear them too.
func (o *other) view() panel.Service {
	state, since := o.now()
	detail, count := "", o.faults()
	switch {
	case count == 0:
		state = panel.Up
	case state == panel.Up:
		detail = fmt.Sprintf("%d faults set through its API", count)
	}
	can := slices.DeleteFunc(slices.Clone(o.order), func(a panel.Action) bool { return string(a) == state })
	if count > 0 {
		can = append(can, panel.Mend)
	}
	return panel.Service{Name: o.name, State: state, Detail: detail, Since: since.UTC(), Actions: can}
}

// Services implements panel.Machine.
func (m *machine) Services() []panel.Service {
	var all []panel.Service
	for _, one := range m.family.all() {
		state, since := one.now()
		detail := ""
		if pid := m.family.pid(one.child.name); state != panel.Stopped && pid != 0 {
			detail = fmt.Sprintf("pid %d", pid)
		}
		all = append(all, panel.Service{
			Name: one.child.name, State: state, Detail: detail, Since: since.UTC(), Actions: actions(state),
		})
	}
	slices.SortStableFunc(all, func(a, b panel.Service) int { return strings.Compare(a.Name, b.Name) })
	for _, one := range m.servers {
		state, since := one.now()
		all = append(all, panel.Service{Name: one.name, State: state, Since: since.UTC(), Actions: actions(state)})
	}
	for _, one := range m.others {
		all = append(all, one.view())
	}
	return all
}

// Order implements panel.Machine.
func (m *machine) Order(ctx context.Context, name string, action panel.Action) error {
	for _, one := range m.others {
		if one.name == name {
			return one.do(action)
		}
	}
	if !slices.Contains([]panel.Action{panel.Stop, panel.Start, panel.Freeze, panel.Continue, panel.Kill}, action) {
		return panel.Refuse(http.StatusBadRequest, "unknown action %q", action)
	}
	for _, one := range m.servers {
		if one.name == name {
			return one.order(action)
		}
	}
	for _, one := range m.family.all() {
		if one.child.name == name {
			return one.order(ctx, action)
		}
	}
	return panel.Refuse(http.StatusNotFound, "no service %q", name)
}

// thaw lets all frozen servers go on.
func (m *machine) thaw() error {
	var problems []error
	for _, one := range m.servers {
		problems = append(problems, one.thaw())
	}
	return errors.Join(problems...)
}

// isWorked says whether any worker is at work.
func (m *machine) isWorked() bool {
	for _, one := range m.family.all() {
		if state, _ := one.now(); one.child.program == "worker" && state == panel.Up {
			return true
		}
	}
	return false
}

// Clock implements panel.Machine.
func (m *machine) Clock() panel.Clock { return m.clock.view() }

// Advance implements panel.Machine. Whoever goes away meanwhile does not leave the clock halfway.
func (m *machine) Advance(_ context.Context, by time.Duration) (panel.Move, error) {
	move, err := m.clock.advance(m.ctx, by)
	return move, orAway(err)
}

// Books implements panel.Machine.
func (m *machine) Books(ctx context.Context) (panel.Books, error) {
	began := time.Now()
	rows, err := reading[panel.Disagreement](ctx, m.pool, readBooks)
	return panel.Books{IsBalanced: err == nil && len(rows) == 0, Rows: rows, TookMS: time.Since(began).Milliseconds()}, err
}

// Ledger implements panel.Machine.
func (m *machine) Ledger(ctx context.Context, limit int) ([]panel.Transfer, error) {
	return reading[panel.Transfer](ctx, m.pool, readLedger, limit)
}

// Work implements panel.Machine.
func (m *machine) Work(ctx context.Context) (work panel.Work, err error) {
	if work.Components, err = reading[panel.Component](ctx, m.pool, readComponents); err != nil {
		return work, err
	}
	if work.Queues, err = reading[panel.Queue](ctx, m.pool, readQueues); err != nil {
		return work, err
	}
	if work.Jobs, err = reading[panel.Job](ctx, m.pool, readJobs); err != nil {
		return work, err
	}
	work.DeadLetters, err = reading[panel.DeadLetter](ctx, m.pool, readDeadLetters)
	return work, err
}
