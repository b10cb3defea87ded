package botapi

import (
	"encoding/json"
	"reflect"
	"time"
)

// A bot may delete a message of a private chat for two days.
const deletableFor = 48 * time.Hour

// editing is a message that a method changes: old stays as it is until the method succeeds.
type editing struct {
	person *Person
	chat   *chat
	m      *stored
	next   Message
}

// editTarget finds the bot's own message that chat_id and message_id name and puts the new keyboard on a copy of it.
func (s *Server) editTarget(c *call) (editing, error) {
	keyboard, other, err := markup(c)
	if err != nil {
		return editing{}, err
	}
	if c.args.text("chat_id") == "" && c.args.text("message_id") == "" {
		if c.args.text("inline_message_id") == "" {
			return editing{}, badRequest("message identifier is not specified")
		}
		return editing{}, badRequest("MESSAGE_ID_INVALID")
	}
	person, ch, err := s.chatArgument(c, "chat_id", true)
	if err != nil {
		return editing{}, err
	}
	m := ch.byID[c.args.integer("message_id", 0, 0, 1<<31-1)]
	if m == nil {
		return editing{}, badRequest("message to edit not found")
	}
	if !m.Outgoing || m.Message.SuccessfulPayment != nil || m.Message.RefundedPayment != nil || other != nil {
		return editing{}, badRequest("message can't be edited")
	}
	e := editing{person: person, chat: ch, m: m, next: m.Message}
	e.next.ReplyMarkup = keyboard
	return e, checkPayButton(keyboard, m.Terms != nil)
}

// finish stores the edited message, unless nothing is different.
func (s *Server) finish(c *call, e editing) (any, error) {
	if reflect.DeepEqual(visible(e.next), visible(e.m.Message)) {
		return nil, errNotModified
	}
	e.next.EditDate = s.now()
	e.m.Message = e.next
	c.saveMessage(c.bot, e.person.ID, e.chat, e.m)
	return e.next, nil
}

// visible is what Telegram compares.
func visible(m Message) []any {
	var keyboard, entities, captionEntities any
	if m.ReplyMarkup != nil {
		keyboard = m.ReplyMarkup.Rows
	}
	if len(m.Entities) > 0 {
		entities = m.Entities
	}
	if len(m.CaptionEntities) > 0 {
		captionEntities = m.CaptionEntities
	}
	return []any{m.Text, entities, m.Caption, captionEntities, m.Photo, m.Document, keyboard}
}

func (s *Server) editMessageText(c *call) (any, error) {
	text, entities, err := textArgument(c)
	if err != nil {
		return nil, err
	}
	e, err := s.editTarget(c)
	if err != nil {
		return nil, err
	}
	if e.m.Message.Text == "" {
		return nil, badRequest("there is no text in the message to edit")
	}
	e.next.Text, e.next.Entities = text, entities
	return s.finish(c, e)
}

func (s *Server) editMessageCaption(c *call) (any, error) {
	caption, entities, err := captionArgument(c)
	if err != nil {
		return nil, err
	}
	e, err := s.editTarget(c)
	if err != nil {
		return nil, err
	}
	if e.m.Message.Photo == nil && e.m.Message.Document == nil {
		return nil, badRequest("there is no caption in the message to edit")
	}
	e.next.Caption, e.next.CaptionEntities = caption, entities
	return s.finish(c, e)
}

func (s *Server) editMessageReplyMarkup(c *call) (any, error) {
	e, err := s.editTarget(c)
	if err != nil {
		return nil, err
	}
	return s.finish(c, e)
}

// editMessageMedia puts another photo or file into a message; a text message becomes one with it.
func (s *Server) editMessageMedia(c *call) (any, error) {
	var media struct {
		Type            string          `json:"type"`
		Media           string          `json:"media"`
		Caption         string          `json:"caption"`
		ParseMode       string          `json:"parse_mode"`
		CaptionEntities json.RawMessage `json:"caption_entities"`
	}
	if c.args.text("media") == "" {
		return nil, badRequest("media not found")
	}
	if err := c.args.object("media", "input media", &media); err != nil {
		return nil, err
	}
	if media.Type != "photo" && media.Type != "document" {
		return nil, badRequest("wrong type of media specified")
	}
	inner := arguments{values: map[string]string{"caption_entities": string(media.CaptionEntities)}}
	caption, entities, err := formatted(media.Caption, media.ParseMode, inner, "caption_entities")
	if err != nil {
		return nil, err
	}
	if characters(caption) > maxCaption {
		return nil, badRequest("message caption is too long")
	}
	e, err := s.editTarget(c)
	if err != nil {
		return nil, err
	}
	if e.m.Terms != nil {
		return nil, badRequest("message media can't be edited")
	}
	f, err := s.fileArgument(c, media.Type, media.Type, media.Media)
	if err != nil {
		return nil, err
	}
	e.next.Text, e.next.Entities, e.next.Photo, e.next.Document = "", nil, nil, nil
	if media.Type == "photo" {
		e.next.Photo = []PhotoSize{f.photo()}
	} else {
		e.next.Document = f.document()
	}
	e.next.Caption, e.next.CaptionEntities = caption, entities
	return s.finish(c, e)
}

func (s *Server) deleteMessage(c *call) (any, error) {
	if c.args.text("chat_id") == "" {
		return nil, badRequest("chat identifier is not specified")
	}
	id := c.args.integer("message_id", 0, 0, 1<<31-1)
	if id == 0 {
		return nil, badRequest("message identifier is not specified")
	}
	person, ch, err := s.chatArgument(c, "chat_id", true)
	if err != nil {
		return nil, err
	}
	m := ch.byID[id]
	if m == nil {
		return nil, badRequest("message to delete not found")
	}
	if s.opts.Now().Sub(time.Unix(m.Message.Date, 0)) > deletableFor {
		return nil, badRequest("message can't be deleted for everyone")
	}
	ch.remove(id)
	c.drop(messageRecord(c.bot, person.ID, id))
	c.saveBot(c.bot) // numbers are not given out again
	c.touch(c.bot, person.ID, ch)
	return true, nil
}

func (ch *chat) remove(id int) {
	delete(ch.byID, id)
	for i, m := range ch.messages {
		if m.Message.MessageID == id {
			ch.messages = append(ch.messages[:i:i], ch.messages[i+1:]...)
			return
		}
	}
}
