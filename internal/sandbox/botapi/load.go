package botapi

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// loadState builds the state from the live records of the journal.
func loadState(records map[string]json.RawMessage) (*state, error) {
	st := newState()
	keys := make([]string, 0, len(records))
	for key := range records {
		keys = append(keys, key)
	}
	sort.Strings(keys) // "bot/" comes before everything that belongs to one
	for _, key := range keys {
		if err := st.load(key, records[key]); err != nil {
			return nil, errors.Wrapf(err, "read record %s", key)
		}
	}
	for _, b := range st.botOrder {
		sort.Slice(b.updates, func(i, j int) bool { return b.updates[i].ID < b.updates[j].ID })
		for _, ch := range b.chats {
			sort.Slice(ch.messages, func(i, j int) bool {
				return ch.messages[i].Message.MessageID < ch.messages[j].Message.MessageID
			})
		}
	}
	sort.Slice(st.botOrder, func(i, j int) bool { return st.botOrder[i].Order < st.botOrder[j].Order })
	sort.Slice(st.order, func(i, j int) bool { return st.people[st.order[i]].Order < st.people[st.order[j]].Order })
	return st, nil
}

func (st *state) load(key string, value json.RawMessage) error {
	kind, rest, _ := strings.Cut(key, "/")
	parts := strings.Split(rest, "/")
	switch kind {
	case "bot":
		var b bot
		if err := json.Unmarshal(value, &b); err != nil {
			return err
		}
		b.ready()
		st.bots[b.Key] = &b
		st.botOrder = append(st.botOrder, &b)
	case "person":
		var p Person
		if err := json.Unmarshal(value, &p); err != nil {
			return err
		}
		st.people[p.ID] = &p
		st.order = append(st.order, p.ID)
	case "chat":
		return st.loadChat(parts, value)
	case "message":
		return st.loadMessage(parts, value)
	case "update":
		return st.loadUpdate(parts, value)
	case "file":
		var f file
		if err := json.Unmarshal(value, &f); err != nil {
			return err
		}
		st.files[f.ID] = &f
	case "link":
		var terms invoiceTerms
		if err := json.Unmarshal(value, &terms); err != nil {
			return err
		}
		st.links[rest] = &terms
	case "payment":
		var p payment
		if err := json.Unmarshal(value, &p); err != nil {
			return err
		}
		if p.Status == PaymentChecking { // nobody waits for the bot's word any more
			p.Status = PaymentTimedOut
		}
		p.done = closedChannel()
		st.payments[p.ID] = &p
	default:
		return errors.New("unknown kind of record")
	}
	return nil
}

func (st *state) owner(parts []string, want int) (*bot, int64, error) {
	if len(parts) != want || st.bots[parts[0]] == nil {
		return nil, 0, errors.New("record without its bot")
	}
	number, err := strconv.ParseInt(parts[1], 10, 64)
	return st.bots[parts[0]], number, err
}

func (st *state) loadChat(parts []string, value json.RawMessage) error {
	b, person, err := st.owner(parts, 2)
	if err != nil {
		return err
	}
	return json.Unmarshal(value, b.chat(person))
}

func (st *state) loadMessage(parts []string, value json.RawMessage) error {
	b, person, err := st.owner(parts, 3)
	if err != nil {
		return err
	}
	var m stored
	if err := json.Unmarshal(value, &m); err != nil {
		return err
	}
	b.chat(person).add(&m)
	b.NextMessage = max(b.NextMessage, m.Message.MessageID+1)
	return nil
}

func (st *state) loadUpdate(parts []string, value json.RawMessage) error {
	b, _, err := st.owner(parts, 2)
	if err != nil {
		return err
	}
	var u update
	if err := json.Unmarshal(value, &u); err != nil {
		return err
	}
	b.NextUpdate = max(b.NextUpdate, u.ID+1)
	b.updates = append(b.updates, &u)
	return nil
}

func closedChannel() chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}
