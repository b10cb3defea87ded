package botapi

import (
	"encoding/json"
	"regexp"
	"time"
)

// maxPersonID is the largest id that Telegram gives out.
const maxPersonID = 1<<52 - 1

// firstPersonID is given to the first person who comes without an id.
const firstPersonID = 100_001

// Person is somebody with a Telegram account.
type Person struct {
	ID           int64  `json:"id"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name,omitempty"`
	Username     string `json:"username,omitempty"`
	LanguageCode string `json:"language_code,omitempty"`
	IsAdmin      bool   `json:"is_admin"` // shown on the chat page; gives no rights
	Order        int    `json:"order"`
}

func (p *Person) user() User {
	return User{
		ID: p.ID, FirstName: p.FirstName, LastName: p.LastName, Username: p.Username, LanguageCode: p.LanguageCode,
	}
}

func (p *Person) chat() Chat {
	return Chat{ID: p.ID, Type: "private", FirstName: p.FirstName, LastName: p.LastName, Username: p.Username}
}

var usernamePattern = regexp.MustCompile(`^[A-Za-z0-9_]{3,32}$`)

// EnsurePerson makes the person or changes the one with the same id. An id of 0 takes the next free one.
func (s *Server) EnsurePerson(p Person) (Person, error) {
	switch {
	case p.FirstName == "":
		return p, refuse(400, "first_name is empty")
	case p.ID < 0 || p.ID > maxPersonID:
		return p, refuse(400, "id must be between 1 and %d", int64(maxPersonID))
	case p.Username != "" && !usernamePattern.MatchString(p.Username):
		return p, refuse(400, "username must be 3 to 32 of A-Z a-z 0-9 _")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state
	if p.ID == 0 {
		for p.ID = firstPersonID; st.people[p.ID] != nil; p.ID++ {
		}
	}
	p.Order = len(st.order)
	if old := st.people[p.ID]; old != nil {
		p.Order = old.Order
	} else {
		st.order = append(st.order, p.ID)
	}
	st.people[p.ID] = &p
	c := s.newChange()
	c.put(personRecord(p.ID), p)
	for _, b := range st.botOrder {
		if ch := b.chats[p.ID]; ch != nil {
			c.touch(b, p.ID, ch)
		}
	}
	return p, s.commit(c)
}

// personMessage puts a message of the person (or a service message) into the chat and tells the bot.
func (s *Server) personMessage(c *change, b *bot, person *Person, m *stored) Message {
	ch := b.chat(person.ID)
	from := person.user()
	m.Message.From, m.Message.Chat, m.Message.Date = &from, person.chat(), s.now()
	if !ch.Started {
		ch.Started = true
		c.saveChat(b, person.ID, ch)
	}
	sent := s.post(c, b, person.ID, ch, m)
	s.addUpdate(c, b, person.ID, "message", sent)
	return sent
}

// setBlocked blocks or unblocks the bot for the person and tells the bot so.
func (s *Server) setBlocked(c *change, b *bot, person *Person, blocked bool) {
	ch := b.chat(person.ID)
	if ch.Blocked == blocked {
		return
	}
	ch.Blocked = blocked
	c.saveChat(b, person.ID, ch)
	zero := int64(0)
	member, banned := chatMember{Status: "member", User: b.User}, chatMember{Status: "kicked", User: b.User, UntilDate: &zero}
	told := chatMemberUpdated{
		Chat: person.chat(), From: person.user(), Date: s.now(), OldChatMember: member, NewChatMember: banned,
	}
	if !blocked {
		told.OldChatMember, told.NewChatMember = banned, member
	}
	s.addUpdate(c, b, person.ID, "my_chat_member", told)
}

// PressedButton is a button that waits for the bot's answer.
type PressedButton struct {
	MessageID int    `json:"message_id"`
	Data      string `json:"data"`
}

// ChatMessage is a message as a person sees it.
type ChatMessage struct {
	Message
	IsOutgoing bool            `json:"is_outgoing"` // from the bot to the person
	HTML       string          `json:"html"`        // text or caption with its entities, safe to show
	IsEdited   bool            `json:"is_edited"`
	IsPaid     bool            `json:"is_paid"`            // of an invoice
	Payload    string          `json:"payload,omitempty"`  // of an invoice
	Keyboard   json.RawMessage `json:"keyboard,omitempty"` // a keyboard that is not inline, as the bot sent it
}

// ChatView is a chat as a person sees it.
type ChatView struct {
	Revision  int64           `json:"revision"`
	Person    Person          `json:"person"`
	Bot       User            `json:"bot"`
	IsStarted bool            `json:"is_started"`
	IsBlocked bool            `json:"is_blocked"`
	IsTyping  bool            `json:"is_typing"`
	Total     int             `json:"total"` // messages in the chat; Messages holds the newest
	Messages  []ChatMessage   `json:"messages"`
	Commands  []Command       `json:"commands"`
	Loading   []PressedButton `json:"loading"`
	Toasts    []Toast         `json:"toasts"`
}

func (s *Server) view(b *bot, person *Person, limit int) ChatView {
	ch := b.chat(person.ID)
	now := s.opts.Now()
	v := ChatView{
		Revision: ch.Revision, Person: *person, Bot: b.User, IsStarted: ch.Started, IsBlocked: ch.Blocked,
		IsTyping: now.Before(ch.typing), Total: len(ch.messages), Messages: []ChatMessage{},
		Commands: b.commandsFor(person), Loading: b.loading(person.ID, now), Toasts: append([]Toast{}, ch.toasts...),
	}
	for _, m := range ch.messages[max(0, len(ch.messages)-limit):] {
		v.Messages = append(v.Messages, m.view())
	}
	return v
}

func (m *stored) view() ChatMessage {
	v := ChatMessage{
		Message: m.Message, IsOutgoing: m.Outgoing, IsEdited: m.Message.EditDate != 0, IsPaid: m.IsPaid, Keyboard: m.Keyboard,
		HTML: render(m.Message.Text, m.Message.Entities),
	}
	if m.Message.Text == "" {
		v.HTML = render(m.Message.Caption, m.Message.CaptionEntities)
	}
	if m.Terms != nil {
		v.Payload = m.Terms.Payload
	}
	return v
}

// watcher is told which chats changed; it forgets nothing while it is busy with something else.
type watcher struct {
	wants func(chatKey) bool
	dirty map[chatKey]int64 // revision by chat; guarded by Server.mu
	wake  chan struct{}     // one place
}

func (w *watcher) notice(key chatKey, revision int64) {
	if !w.wants(key) {
		return
	}
	w.dirty[key] = revision
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
}

// watch registers a watcher; the caller ends it with unwatch.
func (s *Server) watch(wants func(chatKey) bool) *watcher {
	w := &watcher{wants: wants, dirty: map[chatKey]int64{}, wake: make(chan struct{}, 1)}
	s.state.watchers[w] = struct{}{}
	return w
}

func (s *Server) unwatch(w *watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.state.watchers, w)
}

// maxWait bounds every wait of the persons' API.
const maxWait = 60 * time.Second
