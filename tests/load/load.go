// Package load is a crowd of clients who use the SQL contract as the bot and the worker do, all at once and at random:
// they buy, top up, pay twice, cancel, withdraw, decide, refund, renew and deliver. Each call is repeated with the same
// arguments until its outcome is definite, as a client must, and everything is written into a history.
//
//	crowd := load.Open(t, load.Options{Bot: bots, Worker: workers, DBA: b.DBA, Clients: 16, Users: 20, Operations: 4000})
//	h := crowd.Run(ctx)
//	history.Require(t, history.Books{Owner: b.Owner, Bot: bots, Worker: workers}, h)
package load

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/history"
)

// Options say who does what, where and for how long. Zero values take the defaults named here.
type Options struct {
	// Bot, Worker and DBA are pools of the logins of the bot, the worker and a database administrator. The first two may
	// lose answers; DBA only prepares.
	Bot, Worker, DBA history.Conn

	Seed    uint64 // of all chance; see Seed
	Clients int    // at once; 16
	Users   int    // 20
	First   int64  // telegram_id of the first user; 100001. Another crowd in the same database needs other users
	Kopecks int    // that everybody begins with; 500000

	// Operations ends the run after so many, Duration after so long; with neither it ends after 4000 operations.
	Operations int
	Duration   time.Duration
	// Weights says how often each kind of visit is made, in relation to the others; DefaultWeights().
	Weights map[string]int
	// Again are SQLSTATEs after which a call is repeated, beside those of a server in trouble.
	Again []string
	// LifetimeSeconds of an opened purchase; 3, so that some expire.
	LifetimeSeconds int
}

// DefaultWeights are of a busy shop: every visit there is.
func DefaultWeights() map[string]int {
	return map[string]int{
		"buy": 20, "promo": 8, "tap": 6, "cancel": 4, "topup": 10, "card": 8, "reverse": 3, "suspense": 2, "manual": 2,
		"refund": 4, "credit": 10, "debit": 8, "balance": 10, "withdraw": 6, "draft": 2, "decide": 7, "trial": 2, "grant": 2,
		"revoke": 1, "renewal": 2, "batches": 4, "jobs": 8, "messages": 5,
	}
}

func (o *Options) defaults() {
	set := func(to *int, value int) {
		if *to == 0 {
			*to = value
		}
	}
	set(&o.Clients, 16)
	set(&o.Users, 20)
	set(&o.Kopecks, 500_000)
	set(&o.LifetimeSeconds, 3)
	if o.First == 0 {
		o.First = 100_001
	}
	if o.Operations == 0 && o.Duration == 0 {
		o.Operations = 4000
	}
	if o.Weights == nil {
		o.Weights = DefaultWeights()
	}
}

// Factor is ATLAS_TEST_FACTOR: how many times longer than usual scenarios run; 1 unless it is said otherwise.
func Factor(t testing.TB) int {
	t.Helper()
	text := os.Getenv("ATLAS_TEST_FACTOR")
	if text == "" {
		return 1
	}
	factor, err := strconv.Atoi(text)
	require.NoError(t, err, "ATLAS_TEST_FACTOR")
	return max(factor, 1)
}

// Crowd is clients and the users they act for.
type Crowd struct {
	options Options
	history *history.History
	users   []*customer
	codes   []string
	visits  []string // each as often as its weight

	isOver   atomic.Bool
	begun    atomic.Int64 // operations
	lostWork atomic.Int64 // when a claim's answer was lost last, in the history's time
}

// Open prepares the shop: admins, users of whom some have invited others, promo codes, and money for everybody.
func Open(t testing.TB, options Options) *Crowd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), prepareLimit)
	defer cancel()
	crowd, err := Prepare(ctx, options)
	require.NoError(t, err)
	return crowd
}

// Run lets the clients loose and gives their history once all have ended. Whatever they were in the middle of is brought
// to its end; only the end of ctx leaves operations open.
func Run(ctx context.Context, options Options) (*history.History, error) {
	crowd, err := Prepare(ctx, options)
	if err != nil {
		return nil, err
	}
	return crowd.Run(ctx), nil
}

// Run is the package's Run for a crowd that is prepared.
func (c *Crowd) Run(ctx context.Context) *history.History {
	c.Start(ctx)()
	c.Drain(ctx)
	return c.history
}

// Start lets the clients loose; the function that it returns waits for them. Drain is the caller's then.
func (c *Crowd) Start(ctx context.Context) (wait func()) {
	var all sync.WaitGroup
	begun := time.Now()
	base := c.begun.Load()
	for i := range c.options.Clients {
		all.Go(func() {
			client := c.client(i)
			for ctx.Err() == nil && c.goesOn(begun, base) {
				client.visit(ctx)
			}
		})
	}
	return all.Wait
}

func (c *Crowd) goesOn(begun time.Time, base int64) bool {
	o := c.options
	return !c.isOver.Load() && (o.Operations == 0 || c.begun.Load()-base < int64(o.Operations)) &&
		(o.Duration == 0 || time.Since(begun) < o.Duration)
}

// Stop lets the clients bring to an end what they are at, and begin nothing more.
func (c *Crowd) Stop() { c.isOver.Store(true) }

// History is the record so far.
func (c *Crowd) History() *history.History { return c.history }

// Operations is how many were begun so far.
func (c *Crowd) Operations() int { return int(c.begun.Load()) }

// client is the i-th of the crowd; what it chooses follows from the seed.
func (c *Crowd) client(i int) *client {
	return &client{crowd: c, id: i, random: rand.New(rand.NewPCG(c.options.Seed, uint64(i)+1))}
}
