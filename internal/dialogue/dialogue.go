// Package dialogue remembers what a person was asked last: one dialogue per person, in Redis, for a while. Nothing here
// decides about money, and all of it may be lost at any moment: then the person is asked to start again.
//
//	Begin ──► step ──Advance──► step ──Advance──► … ──► End
//	  ▲         │                  (a compare-and-set: of two processes one advances, the other gets ErrMoved)
//	  └─────────┴── Clear (/start, leaving, an error), the time limit, or another Begin
package dialogue

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/redisdb"
)

// What a store can answer besides "done".
var (
	// ErrNone means that the person is in no dialogue.
	ErrNone = errors.New("no dialogue")
	// ErrMoved means that somebody else advanced or ended the dialogue first.
	ErrMoved = errors.New("dialogue has moved on")
	// ErrOutdated means that another release wrote the dialogue in a form that this one does not read. It is dropped.
	ErrOutdated = errors.New("dialogue of another release")
	// ErrUnavailable means that Redis does not answer.
	ErrUnavailable = errors.New("dialogues are unavailable")
)

// DefaultTTL is how long an unanswered question is remembered.
const DefaultTTL = 30 * time.Minute

// Kind is a group of steps with a common draft. Version changes when an old draft can no longer be read.
type Kind struct {
	Name    string
	Version int
}

// Dialogue is where a person stands.
type Dialogue struct {
	Kind  Kind
	Step  string
	draft json.RawMessage
	mark  string // changes with every step: what compare-and-set compares
}

// Draft reads what was gathered so far.
func (d *Dialogue) Draft(into any) error {
	if err := json.Unmarshal(d.draft, into); err != nil {
		return fmt.Errorf("%w: %w", ErrOutdated, err)
	}
	return nil
}

// record is the form in Redis.
type record struct {
	Mark    string          `json:"mark"`
	Name    string          `json:"name"`
	Version int             `json:"version"`
	Step    string          `json:"step"`
	Draft   json.RawMessage `json:"draft"`
}

//go:embed swap.lua
var swapSource string

var swapScript = redis.NewScript(swapSource)

// Store keeps dialogues.
type Store struct {
	redis    redis.UniversalClient
	prefix   string
	ttl      time.Duration
	patience *redisdb.Patience
}

// Option changes a Store.
type Option func(*Store)

// WithPatience waits so long for Redis, in place of the default.
func WithPatience(d time.Duration) Option { return Sharing(redisdb.PatienceOf(d)) }

// Sharing waits for Redis together with others who ask it, so that what one of them has learned about it counts for all.
func Sharing(p *redisdb.Patience) Option { return func(s *Store) { s.patience = p } }

// New makes a store whose keys begin with prefix and which forgets after ttl.
func New(client redis.UniversalClient, prefix string, ttl time.Duration, options ...Option) *Store {
	s := &Store{redis: client, prefix: prefix, ttl: ttl, patience: redisdb.PatienceOf(redisdb.DefaultPatience)}
	for _, option := range options {
		option(s)
	}
	return s
}

// Load returns the person's dialogue, or ErrNone, ErrOutdated (and forgets it) or ErrUnavailable. Kinds are those that
// this release reads.
func (s *Store) Load(ctx context.Context, user int64, kinds ...Kind) (*Dialogue, error) {
	answer, err := s.ask(ctx, func(ctx context.Context) (any, error) { return s.redis.Get(ctx, s.key(user)).Result() })
	if errors.Is(err, redis.Nil) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	text, _ := answer.(string)
	var r record
	readErr := json.Unmarshal([]byte(text), &r)
	kind := Kind{Name: r.Name, Version: r.Version}
	for _, known := range kinds {
		if readErr == nil && known == kind {
			return &Dialogue{Kind: kind, Step: r.Step, draft: r.Draft, mark: r.Mark}, nil
		}
	}
	if err := s.Clear(ctx, user); err != nil {
		return nil, err
	}
	return nil, ErrOutdated
}

// Begin starts a dialogue, in place of whatever there was.
func (s *Store) Begin(ctx context.Context, user int64, kind Kind, step string, draft any) error {
	text, err := write(kind, step, draft)
	if err != nil {
		return err
	}
	_, err = s.ask(ctx, func(ctx context.Context) (any, error) {
		return s.redis.Set(ctx, s.key(user), text, s.ttl).Result()
	})
	return err
}

// Advance moves on from where the person stood, or returns ErrMoved if they are not there any more.
func (s *Store) Advance(ctx context.Context, user int64, from *Dialogue, step string, draft any) error {
	text, err := write(from.Kind, step, draft)
	if err != nil {
		return err
	}
	return s.swap(ctx, user, from, text)
}

// End closes the dialogue, or returns ErrMoved if the person is not there any more.
func (s *Store) End(ctx context.Context, user int64, from *Dialogue) error {
	return s.swap(ctx, user, from, nil)
}

// Clear forgets whatever dialogue there is.
func (s *Store) Clear(ctx context.Context, user int64) error {
	_, err := s.ask(ctx, func(ctx context.Context) (any, error) { return s.redis.Del(ctx, s.key(user)).Result() })
	return err
}

// swap replaces the dialogue that has from's mark by text, or removes it when text is nil.
func (s *Store) swap(ctx context.Context, user int64, from *Dialogue, text []byte) error {
	answer, err := s.ask(ctx, func(ctx context.Context) (any, error) {
		return swapScript.Run(ctx, s.redis, []string{s.key(user)}, from.mark, text, s.ttl.Milliseconds()).Result()
	})
	if err != nil {
		return err
	}
	if answer != int64(1) {
		return ErrMoved
	}
	return nil
}

func (s *Store) ask(ctx context.Context, question func(ctx context.Context) (any, error)) (any, error) {
	answer, err := redisdb.Ask(ctx, s.patience, question)
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return answer, err
}

func (s *Store) key(user int64) string {
	return s.prefix + "dialogue:{" + strconv.FormatInt(user, 10) + "}"
}

func write(kind Kind, step string, draft any) ([]byte, error) {
	inner, err := json.Marshal(draft)
	if err != nil {
		return nil, fmt.Errorf("draft of %s: %w", kind.Name, err)
	}
	text, err := json.Marshal(record{Mark: rand.Text(), Name: kind.Name, Version: kind.Version, Step: step, Draft: inner})
	if err != nil {
		return nil, fmt.Errorf("draft of %s: %w", kind.Name, err)
	}
	return text, nil
}
