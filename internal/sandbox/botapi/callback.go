package botapi

import (
	"time"
)

// maxToast is the longest text of an answer to a pressed button.
const maxToast = 200

// toasts kept per chat: the page shows the last ones only.
const keptToasts = 20

// callback is a pressed button that waits for the bot's answer.
type callback struct {
	id       string
	person   int64
	message  int
	data     string
	deadline time.Time
	answer   *CallbackAnswer
	done     chan struct{} // closed when answered
}

// CallbackAnswer is what the bot said to a pressed button.
type CallbackAnswer struct {
	CallbackQueryID string `json:"callback_query_id"`
	IsAnswered      bool   `json:"is_answered"`
	Text            string `json:"text,omitempty"`
	ShowAlert       bool   `json:"show_alert,omitempty"`
	URL             string `json:"url,omitempty"`
}

// Toast is a short notice over a chat.
type Toast struct {
	ID        int64  `json:"id"`
	Text      string `json:"text"`
	ShowAlert bool   `json:"show_alert,omitempty"`
	URL       string `json:"url,omitempty"`
}

// press makes the callback query of a button.
func (s *Server) press(c *change, b *bot, person *Person, m *stored, data string) *callback {
	now := s.opts.Now()
	for id, old := range b.callbacks {
		if now.After(old.deadline.Add(s.opts.CallbackTimeout)) {
			delete(b.callbacks, id)
		}
	}
	pressed := &callback{
		id: randomNumber(), person: person.ID, message: m.Message.MessageID, data: data,
		deadline: now.Add(s.opts.CallbackTimeout), done: make(chan struct{}),
	}
	b.callbacks[pressed.id] = pressed
	shown := m.Message
	s.addUpdate(c, b, person.ID, "callback_query", callbackQuery{
		ID: pressed.id, From: person.user(), Message: &shown, ChatInstance: b.Key, Data: data,
	})
	c.touch(b, person.ID, b.chat(person.ID))
	return pressed
}

func (s *Server) answerCallbackQuery(c *call) (any, error) {
	pressed := c.bot.callbacks[c.args.text("callback_query_id")]
	if pressed == nil || pressed.answer != nil || s.opts.Now().After(pressed.deadline) {
		return nil, errQueryTooOld
	}
	text := c.args.text("text")
	if characters(text) > maxToast {
		return nil, badRequest("MESSAGE_TOO_LONG")
	}
	link := c.args.text("url")
	if link != "" {
		if _, ok := checkURL(link); !ok {
			return nil, badRequest("URL_INVALID")
		}
	}
	pressed.answer = &CallbackAnswer{
		CallbackQueryID: pressed.id, IsAnswered: true, Text: text, ShowAlert: c.args.bool("show_alert"), URL: link,
	}
	close(pressed.done)
	ch := c.bot.chat(pressed.person)
	if text != "" || link != "" {
		ch.toasts = append(ch.toasts, Toast{ID: s.state.revision + 1, Text: text, ShowAlert: pressed.answer.ShowAlert, URL: link})
		if len(ch.toasts) > keptToasts {
			ch.toasts = ch.toasts[len(ch.toasts)-keptToasts:]
		}
	}
	c.touch(c.bot, pressed.person, ch)
	return true, nil
}

// loading says which buttons of the chat wait for their answer.
func (b *bot) loading(person int64, now time.Time) []PressedButton {
	waiting := []PressedButton{}
	for _, pressed := range b.callbacks {
		if pressed.person == person && pressed.answer == nil && now.Before(pressed.deadline) {
			waiting = append(waiting, PressedButton{MessageID: pressed.message, Data: pressed.data})
		}
	}
	return waiting
}
