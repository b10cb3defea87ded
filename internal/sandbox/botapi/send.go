package botapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sender is what all the sending methods read first.
type sender struct {
	person *Person
	chat   *chat
	m      *stored
}

// newMessage reads the arguments that every sending method has and makes the message without its content.
func (s *Server) newMessage(c *call) (sender, error) {
	person, ch, err := s.chatArgument(c, "chat_id", true)
	if err != nil {
		return sender{}, err
	}
	keyboard, other, err := markup(c)
	if err != nil {
		return sender{}, err
	}
	from := c.bot.User
	m := &stored{Outgoing: true, Keyboard: other, Message: Message{
		From: &from, Date: s.now(), Chat: person.chat(), ReplyMarkup: keyboard, HasProtectedContent: c.args.bool("protect_content"),
	}}
	if m.Message.ReplyToMessage, err = replied(c, ch); err != nil {
		return sender{}, err
	}
	return sender{person: person, chat: ch, m: m}, nil
}

func replied(c *call, ch *chat) (*Message, error) {
	var reply struct {
		MessageID int  `json:"message_id"`
		Optional  bool `json:"allow_sending_without_reply"`
	}
	if err := c.args.object("reply_parameters", "reply parameters", &reply); err != nil {
		return nil, err
	}
	if old := c.args.text("reply_to_message_id"); old != "" {
		reply.MessageID, _ = strconv.Atoi(old)
		reply.Optional = c.args.bool("allow_sending_without_reply")
	}
	if reply.MessageID == 0 {
		return nil, nil
	}
	to := ch.byID[reply.MessageID]
	if to == nil {
		if reply.Optional {
			return nil, nil
		}
		return nil, badRequest("message to be replied not found")
	}
	shown := to.Message
	shown.ReplyToMessage = nil
	return &shown, nil
}

// post gives the message its number and puts it into the chat.
func (s *Server) post(c *change, b *bot, person int64, ch *chat, m *stored) Message {
	m.Message.MessageID = b.NextMessage
	b.NextMessage++
	ch.add(m)
	ch.typing = time.Time{}
	c.saveMessage(b, person, ch, m)
	return m.Message
}

func (s *Server) sendMessage(c *call) (any, error) {
	out, err := s.newMessage(c)
	if err != nil {
		return nil, err
	}
	if out.m.Message.Text, out.m.Message.Entities, err = textArgument(c); err != nil {
		return nil, err
	}
	if err := checkPayButton(out.m.Message.ReplyMarkup, false); err != nil {
		return nil, err
	}
	return s.post(c.change, c.bot, out.person.ID, out.chat, out.m), nil
}

// textArgument reads the text of a message.
func textArgument(c *call) (string, []Entity, error) {
	if c.args.text("text") == "" {
		return "", nil, badRequest("message text is empty")
	}
	text, entities, err := formatted(c.args.text("text"), c.args.text("parse_mode"), c.args, "entities")
	switch {
	case err != nil:
		return "", nil, err
	case text == "":
		return "", nil, badRequest("text must be non-empty")
	case characters(text) > maxText:
		return "", nil, badRequest("message is too long")
	}
	return text, entities, nil
}

// captionArgument reads the caption of a photo or a file.
func captionArgument(c *call) (string, []Entity, error) {
	caption, entities, err := formatted(c.args.text("caption"), c.args.text("parse_mode"), c.args, "caption_entities")
	if err == nil && characters(caption) > maxCaption {
		err = badRequest("message caption is too long")
	}
	return caption, entities, err
}

func (s *Server) sendPhoto(c *call) (any, error) {
	return s.sendMedia(c, "photo", func(m *Message, f *file) { m.Photo = []PhotoSize{f.photo()} })
}

func (s *Server) sendDocument(c *call) (any, error) {
	return s.sendMedia(c, "document", func(m *Message, f *file) { m.Document = f.document() })
}

func (s *Server) sendMedia(c *call, kind string, attach func(*Message, *file)) (any, error) {
	out, err := s.newMessage(c)
	if err != nil {
		return nil, err
	}
	if out.m.Message.Caption, out.m.Message.CaptionEntities, err = captionArgument(c); err != nil {
		return nil, err
	}
	if err := checkPayButton(out.m.Message.ReplyMarkup, false); err != nil {
		return nil, err
	}
	f, err := s.fileArgument(c, kind, kind, c.args.text(kind))
	if err != nil {
		return nil, err
	}
	attach(&out.m.Message, f)
	return s.post(c.change, c.bot, out.person.ID, out.chat, out.m), nil
}

func (s *Server) copyMessage(c *call) (any, error) {
	if _, err := c.args.required("from_chat_id"); err != nil {
		return nil, err
	}
	_, source, err := s.chatArgument(c, "from_chat_id", false)
	if err != nil {
		return nil, err
	}
	original := source.byID[c.args.integer("message_id", 0, 0, 1<<31-1)]
	if original == nil {
		return nil, badRequest("message to copy not found")
	}
	shown := original.Message
	if shown.Invoice != nil || shown.SuccessfulPayment != nil || shown.RefundedPayment != nil {
		return nil, badRequest("message can't be copied")
	}
	out, err := s.newMessage(c)
	if err != nil {
		return nil, err
	}
	to := &out.m.Message
	to.Text, to.Entities, to.Photo, to.Document = shown.Text, shown.Entities, shown.Photo, shown.Document
	to.Caption, to.CaptionEntities = shown.Caption, shown.CaptionEntities
	if c.args.has("caption") {
		if to.Caption, to.CaptionEntities, err = captionArgument(c); err != nil {
			return nil, err
		}
	}
	if err := checkPayButton(to.ReplyMarkup, false); err != nil {
		return nil, err
	}
	sent := s.post(c.change, c.bot, out.person.ID, out.chat, out.m)
	return map[string]int{"message_id": sent.MessageID}, nil
}

// A chat action is shown for five seconds or until the next message.
const typingTime = 5 * time.Second

var chatActions = " typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker find_location record_video_note upload_video_note "

func (s *Server) sendChatAction(c *call) (any, error) {
	action := c.args.text("action")
	if action == "" || !strings.Contains(chatActions, " "+strings.ToLower(action)+" ") {
		return nil, badRequest("wrong parameter action in request")
	}
	person, ch, err := s.chatArgument(c, "chat_id", true)
	if err != nil {
		return nil, err
	}
	ch.typing = s.opts.Now().Add(typingTime)
	c.touch(c.bot, person.ID, ch)
	return true, nil
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, token, path string) {
	if !tokenPattern.MatchString(token) {
		writeAnswer(w, nil, "", errUnauthorized)
		return
	}
	key := botKey(token)
	s.mu.Lock()
	var wanted *file
	for _, f := range s.state.files {
		if f.BotKey == key && f.Path == path {
			wanted = f
		}
	}
	s.mu.Unlock()
	if wanted == nil {
		writeAnswer(w, nil, "", errNotFound)
		return
	}
	s.writeFile(w, r, wanted)
}
