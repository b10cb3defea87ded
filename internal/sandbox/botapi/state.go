package botapi

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"

	"atlas-secure/internal/sandbox/journal"
)

// state is everything that the emulator knows. It is guarded by Server.mu and changed through a change (see commit).
type state struct {
	bots     map[string]*bot // by key
	botOrder []*bot
	people   map[int64]*Person
	order    []int64 // of people, as they were made
	files    map[string]*file
	payments map[string]*payment // by pre-checkout query id
	links    map[string]*invoiceTerms
	revision int64
	watchers map[*watcher]struct{}
}

// bot is one token. Its key names it without the token, which is never written down.
type bot struct {
	Key         string               `json:"key"`
	User        User                 `json:"user"`
	NextUpdate  int64                `json:"next_update"`
	Confirmed   int64                `json:"confirmed"` // updates up to this one are forgotten
	NextMessage int                  `json:"next_message"`
	Allowed     []string             `json:"allowed,omitempty"`
	Hook        webhook              `json:"hook"`
	Commands    map[string][]Command `json:"commands,omitempty"` // by scope and language
	Order       int                  `json:"order"`
	chats       map[int64]*chat      // by person
	updates     []*update            // pending, by id
	poll        *poll                // the waiting getUpdates
	delivery    *delivery            // the running webhook
	callbacks   map[string]*callback // pressed buttons
	arrived     chan struct{}        // closed and replaced when an update is added
}

// chat is the private chat of a bot and a person.
type chat struct {
	Started  bool  `json:"started"`
	Blocked  bool  `json:"blocked"`
	Revision int64 `json:"-"` // of the last change, to wait for the next one
	messages []*stored
	byID     map[int]*stored
	toasts   []Toast
	typing   time.Time
}

// stored is a message with what the bot's side does not show.
type stored struct {
	Message  Message         `json:"message"`
	Outgoing bool            `json:"outgoing"` // from the bot
	Keyboard json.RawMessage `json:"keyboard,omitempty"`
	Terms    *invoiceTerms   `json:"terms,omitempty"`
	IsPaid   bool            `json:"is_paid,omitempty"`
}

// invoiceTerms are what a payment of the invoice carries.
type invoiceTerms struct {
	BotKey        string         `json:"bot_key"`
	Invoice       Invoice        `json:"invoice"`
	Payload       string         `json:"payload"`
	ProviderToken string         `json:"provider_token,omitempty"`
	Prices        []labeledPrice `json:"prices"`
	PhotoURL      string         `json:"photo_url,omitempty"`
}

// update is one pending update; Chat orders the deliveries of a webhook.
type update struct {
	ID    int64           `json:"id"`
	Chat  int64           `json:"chat"`
	Kind  string          `json:"kind"`
	Body  json.RawMessage `json:"body"` // the object under Kind
	Twice bool            `json:"twice,omitempty"`
}

// file is an uploaded file; data is nil when it lies in the folder.
type file struct {
	ID       string `json:"id"`
	UniqueID string `json:"unique_id"`
	Path     string `json:"path"`
	Name     string `json:"name"`
	Mime     string `json:"mime"`
	Size     int    `json:"size"`
	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	BotKey   string `json:"bot_key"`
	data     []byte
}

func newState() *state {
	return &state{
		bots: map[string]*bot{}, people: map[int64]*Person{}, files: map[string]*file{},
		payments: map[string]*payment{}, links: map[string]*invoiceTerms{}, watchers: map[*watcher]struct{}{},
	}
}

// change collects what one request changes; commit writes it.
type change struct {
	isKept  bool // on disk; otherwise nobody reads the records
	records []journal.Record
	touched map[*chat]chatKey
	woken   map[*bot]struct{}
	err     error
}

type chatKey struct {
	bot    string
	person int64
}

func (s *Server) newChange() *change {
	return &change{isKept: s.opts.StateDir != "", touched: map[*chat]chatKey{}, woken: map[*bot]struct{}{}}
}

func (c *change) put(key string, value any) {
	if !c.isKept {
		return
	}
	record, err := journal.Put(key, value)
	if err != nil {
		c.err = err
		return
	}
	c.records = append(c.records, record)
}

func (c *change) drop(key string) {
	if c.isKept {
		c.records = append(c.records, journal.Delete(key))
	}
}

// commit writes the change and then tells those who wait. Called with mu held, before any answer goes out.
func (s *Server) commit(c *change) error {
	if c.err != nil {
		return c.err
	}
	if err := s.journal.Append(c.records...); err != nil {
		return errors.Wrap(err, "write state")
	}
	if len(c.touched) > 0 {
		s.state.revision++
		for changed, key := range c.touched {
			changed.Revision = s.state.revision
			for w := range s.state.watchers {
				w.notice(key, changed.Revision)
			}
		}
	}
	for b := range c.woken {
		close(b.arrived)
		b.arrived = make(chan struct{})
	}
	return nil
}

// The keys of the records.
func botRecord(b *bot) string                { return "bot/" + b.Key }
func personRecord(id int64) string           { return fmt.Sprintf("person/%d", id) }
func chatRecord(b *bot, person int64) string { return fmt.Sprintf("chat/%s/%d", b.Key, person) }
func updateRecord(b *bot, id int64) string   { return fmt.Sprintf("update/%s/%d", b.Key, id) }
func messageRecord(b *bot, p int64, id int) string {
	return fmt.Sprintf("message/%s/%d/%d", b.Key, p, id)
}

// saveBot and the like add a whole object to the change.
func (c *change) saveBot(b *bot)                       { c.put(botRecord(b), b) }
func (c *change) saveChat(b *bot, p int64, ch *chat)   { c.put(chatRecord(b, p), ch); c.touch(b, p, ch) }
func (c *change) touch(b *bot, person int64, ch *chat) { c.touched[ch] = chatKey{b.Key, person} }

func (c *change) saveMessage(b *bot, person int64, ch *chat, m *stored) {
	c.put(messageRecord(b, person, m.Message.MessageID), m)
	c.touch(b, person, ch)
}

// newBot makes the bot of a token: its id is the number before the colon.
func newBot(token string, order int, now time.Time) *bot {
	id, _, _ := strings.Cut(token, ":")
	number, _ := strconv.ParseInt(id, 10, 64)
	b := &bot{
		Key: botKey(token), Order: order, NextMessage: 1,
		User: User{ID: number, IsBot: true, FirstName: "Sandbox bot", Username: "sandbox" + id + "_bot"},
		// Ids go on growing when the emulator starts over while the bot's database does not.
		NextUpdate: 100_000_000 + max(now.Unix()-1_700_000_000, 0),
	}
	b.Confirmed = b.NextUpdate - 1
	b.ready()
	return b
}

// botKey names a token without telling it.
func botKey(token string) string {
	id, _, _ := strings.Cut(token, ":")
	sum := sha256.Sum256([]byte(token))
	return id + "-" + hex.EncodeToString(sum[:4])
}

func (b *bot) ready() {
	b.chats = map[int64]*chat{}
	b.callbacks = map[string]*callback{}
	b.arrived = make(chan struct{})
	if b.Commands == nil {
		b.Commands = map[string][]Command{}
	}
}

func (b *bot) chat(person int64) *chat {
	ch := b.chats[person]
	if ch == nil {
		ch = &chat{byID: map[int]*stored{}}
		b.chats[person] = ch
	}
	return ch
}

func (ch *chat) add(m *stored) {
	ch.messages = append(ch.messages, m)
	ch.byID[m.Message.MessageID] = m
}

// randomID is a name that nobody can guess or meet twice.
func randomID(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// randomNumber is an id in the form of the Bot API's query ids.
func randomNumber() string {
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // never fails
	number := uint64(0)
	for _, b := range raw {
		number = number<<8 | uint64(b)
	}
	return strconv.FormatUint(number>>1, 10)
}
