package botapi

import (
	"context"
	"encoding/json"
	"slices"
	"sort"
	"time"
)

// maxPollSeconds is the longest wait of getUpdates.
const maxPollSeconds = 50

// notByDefault are the kinds of updates that a bot gets only when it names them.
var notByDefault = []string{"chat_member", "message_reaction", "message_reaction_count"}

// poll is a waiting getUpdates; it is told to end with an error.
type poll struct {
	end chan *apiError // one place
}

func (p *poll) stop(why *apiError) {
	select {
	case p.end <- why:
	default: // it ends already
	}
}

// wire is an update as the bot gets it.
func (u *update) wire() json.RawMessage {
	raw, _ := json.Marshal(map[string]any{"update_id": u.ID, u.Kind: u.Body}) // Body is valid JSON
	return raw
}

// addUpdate gives the update its id and puts it into the bot's queue, unless the bot does not want its kind. It returns
// the id, or 0.
func (s *Server) addUpdate(c *change, b *bot, chat int64, kind string, object any) int64 {
	if !b.wants(kind) {
		return 0
	}
	body, err := json.Marshal(object)
	if err != nil {
		c.err = err
		return 0
	}
	u := &update{ID: b.NextUpdate, Chat: chat, Kind: kind, Body: body, Twice: s.takeFault("update", chat).duplicates()}
	b.NextUpdate++
	b.updates = append(b.updates, u)
	c.put(updateRecord(b, u.ID), u)
	c.woken[b] = struct{}{}
	return u.ID
}

func (b *bot) wants(kind string) bool {
	if len(b.Allowed) == 0 {
		return !slices.Contains(notByDefault, kind)
	}
	return slices.Contains(b.Allowed, kind)
}

// allow takes over allowed_updates, when it is given.
func (c *call) allow() error {
	if !c.args.has("allowed_updates") {
		return nil
	}
	var allowed []string
	if err := c.args.object("allowed_updates", "allowed_updates", &allowed); err != nil {
		return err
	}
	if !slices.Equal(allowed, c.bot.Allowed) {
		c.bot.Allowed = allowed
		c.saveBot(c.bot)
	}
	return nil
}

// forget confirms every update below the id.
func (b *bot) forget(c *change, below int64) {
	n := sort.Search(len(b.updates), func(i int) bool { return b.updates[i].ID >= below })
	if n == 0 {
		return
	}
	b.Confirmed = b.updates[n-1].ID
	for _, u := range b.updates[:n] {
		c.drop(updateRecord(b, u.ID))
	}
	b.updates = slices.Clone(b.updates[n:])
	c.saveBot(b)
}

// getUpdates answers at once when something is pending, else it waits. Another getUpdates ends the waiting one with 409.
func (s *Server) getUpdates(ctx context.Context, token string, args arguments) (any, error) {
	limit := args.integer("limit", 100, 1, 100)
	deadline := time.NewTimer(args.seconds("timeout", 0, maxPollSeconds))
	defer deadline.Stop()

	b, waiting, batch, err := s.beginPoll(token, args, limit)
	if err != nil {
		return nil, err
	}
	defer s.endPoll(b, waiting)
	for len(batch) == 0 {
		s.mu.Lock()
		arrived := b.arrived
		batch = b.batch(limit)
		s.mu.Unlock()
		if len(batch) > 0 {
			break
		}
		select {
		case <-arrived:
		case <-deadline.C:
			return []json.RawMessage{}, nil
		case why := <-waiting.end:
			return nil, why
		case <-ctx.Done():
			return nil, errServerShutdown
		case <-s.ctx.Done():
			return nil, errServerShutdown
		}
	}
	select {
	case why := <-waiting.end: // replaced in the same moment
		return nil, why
	default:
		return batch, nil
	}
}

func (s *Server) beginPoll(token string, args arguments, limit int) (*bot, *poll, []json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, nil, errServerShutdown
	}
	c := &call{change: s.newChange(), args: args}
	b, err := s.botOf(token)
	if err != nil {
		return nil, nil, nil, err
	}
	c.bot = b
	if b.Hook.URL != "" {
		return nil, nil, nil, errWebhookIsSet
	}
	if err := c.allow(); err != nil {
		return nil, nil, nil, err
	}
	if b.poll != nil {
		b.poll.stop(errPollReplaced)
	}
	b.poll = &poll{end: make(chan *apiError, 1)}
	offset := args.integer("offset", 0, -1<<31, 1<<31-1)
	switch {
	case offset > 0:
		b.forget(c.change, int64(offset))
	case offset < 0 && len(b.updates) > -offset:
		b.forget(c.change, b.updates[len(b.updates)+offset].ID)
	}
	if err := s.commit(c.change); err != nil {
		return nil, nil, nil, err
	}
	return b, b.poll, b.batch(limit), nil
}

func (s *Server) endPoll(b *bot, ended *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.poll == ended {
		b.poll = nil
	}
}

// batch is the oldest pending updates; one that is to be delivered twice stands there twice.
func (b *bot) batch(limit int) []json.RawMessage {
	var batch []json.RawMessage
	for _, u := range b.updates {
		for range 1 + u.copies() {
			if len(batch) == limit {
				return batch
			}
			batch = append(batch, u.wire())
		}
	}
	return batch
}

func (u *update) copies() int {
	if u.Twice {
		return 1
	}
	return 0
}
