package telegram

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/mymmrac/telego"
	"github.com/mymmrac/telego/telegoutil"

	"atlas-secure/internal/limit"
)

// callTimeout bounds one call of the Bot API other than a long poll, but for the time that a file takes on its way.
const (
	callTimeout   = 10 * time.Second
	slowestUpload = 256 << 10 // bytes a second
)

// throttledTries is how often a message is tried while Telegram says "later". A 429 has sent nothing, so that
// trying again cannot send twice.
const throttledTries = 3

// Sender writes to people, within Telegram's limits, which all senders with the same Redis share.
type Sender struct {
	client        *Client
	pace          pace
	log           *slog.Logger
	onUnreachable func(ctx context.Context, chatID int64)
}

// SenderOption changes a Sender.
type SenderOption func(*Sender)

// WithLimits replaces DefaultLimits.
func WithLimits(limits Limits) SenderOption {
	return func(s *Sender) { s.pace.limits = limits }
}

// WithOnUnreachable is told about each person who turns out to have blocked the bot.
func WithOnUnreachable(tell func(ctx context.Context, chatID int64)) SenderOption {
	return func(s *Sender) { s.onUnreachable = tell }
}

// NewSender makes a sender.
func NewSender(client *Client, limiter *limit.Limiter, log *slog.Logger, options ...SenderOption) *Sender {
	s := &Sender{
		client:        client,
		pace:          pace{limiter: limiter, limits: DefaultLimits()},
		log:           log,
		onUnreachable: func(context.Context, int64) {},
	}
	for _, option := range options {
		option(s)
	}
	return s
}

// Message is what is sent: text, or a photo or a file with a caption, or an invoice.
type Message struct {
	ChatID   int64
	HTML     string
	Keyboard *telego.InlineKeyboardMarkup
	PNG      []byte    // a photo, of which HTML is the caption
	Document *Document // a file, of which HTML is the caption
	Invoice  *Invoice  // an invoice, which has no HTML
	Urgency  Urgency
}

// Document is a file, which is read while it is sent, and again when it has to be sent once more.
type Document struct {
	Name    string
	Size    int64
	Content io.ReaderAt
}

// Invoice is paid inside Telegram. Amount is in the smallest unit of Currency; Stars (XTR) need no provider token.
type Invoice struct {
	Title         string
	Description   string
	Payload       string
	ProviderToken string
	Currency      string
	Label         string
	Amount        int
}

func (m Message) isText() bool { return m.PNG == nil && m.Document == nil && m.Invoice == nil }

// timeout is how long the message may be on its way.
func (m Message) timeout() time.Duration {
	if m.Document == nil {
		return callTimeout
	}
	return callTimeout + time.Duration(m.Document.Size/slowestUpload)*time.Second
}

// AwaitTurn returns when one more bulk message may go out, which then has the urgency Called. So a sender can choose whom
// to write to when it can write at once.
func (s *Sender) AwaitTurn(ctx context.Context) error { return s.pace.waitBulk(ctx) }

// Send sends a new message and returns its number.
func (s *Sender) Send(ctx context.Context, m Message) (messageID int, err error) {
	err = s.deliver(ctx, m, func(ctx context.Context) error {
		var sent *telego.Message
		var err error
		switch {
		case m.Invoice != nil:
			sent, err = s.client.SendInvoice(ctx, m.invoice())
		case m.PNG != nil:
			sent, err = s.client.SendPhoto(ctx, m.photo())
		case m.Document != nil:
			sent, err = s.client.SendDocument(ctx, m.document())
		default:
			sent, err = s.client.SendMessage(ctx, m.text())
		}
		if err == nil {
			messageID = sent.MessageID
		}
		return err
	})
	return messageID, err
}

// Edit turns an earlier message into m, which must be text. An edit whose outcome is unknown is made once more: twice
// the same edit is the same as once.
func (s *Sender) Edit(ctx context.Context, messageID int, m Message) error {
	edit := func(ctx context.Context) error {
		_, err := s.client.EditMessageText(ctx, &telego.EditMessageTextParams{
			ChatID:             telegoutil.ID(m.ChatID),
			MessageID:          messageID,
			Text:               m.HTML,
			ParseMode:          telego.ModeHTML,
			ReplyMarkup:        m.Keyboard,
			LinkPreviewOptions: &telego.LinkPreviewOptions{IsDisabled: true},
		})
		if isNotModified(err) {
			return nil
		}
		return err
	}
	err := s.deliver(ctx, m, edit)
	if Classify(err) == Unknown && ctx.Err() == nil {
		err = s.deliver(ctx, m, edit)
	}
	return err
}

// Show edits the message in place where that can be done, and sends a new one otherwise (the message is gone, or it is a
// photo or an invoice). A messageID of 0 is no message yet.
func (s *Sender) Show(ctx context.Context, messageID int, m Message) (shown int, err error) {
	if messageID != 0 && m.isText() {
		err := s.Edit(ctx, messageID, m)
		if Classify(err) != Refused {
			return messageID, err
		}
	}
	return s.Send(ctx, m)
}

// AnswerPress tells Telegram that a button press was seen, with an optional plain text.
func (s *Sender) AnswerPress(ctx context.Context, queryID, text string, isAlert bool) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := s.pace.waitOpen(ctx); err != nil {
		return err
	}
	err := s.client.AnswerCallbackQuery(ctx, &telego.AnswerCallbackQueryParams{
		CallbackQueryID: queryID, Text: text, ShowAlert: isAlert,
	})
	if IsQueryOver(err) {
		return nil
	}
	return s.note(ctx, 0, err)
}

// AnswerPreCheckout says whether the payment may go on; refusal is shown to the person, and empty means yes. It waits
// for nobody: Telegram gives ten seconds.
func (s *Sender) AnswerPreCheckout(ctx context.Context, queryID, refusal string) error {
	err := s.client.AnswerPreCheckoutQuery(ctx, &telego.AnswerPreCheckoutQueryParams{
		PreCheckoutQueryID: queryID, Ok: refusal == "", ErrorMessage: refusal,
	})
	if IsQueryOver(err) {
		return nil
	}
	return s.note(ctx, 0, err)
}

// deliver makes a call when its turn comes, and again while Telegram says "later" and there is time.
func (s *Sender) deliver(ctx context.Context, m Message, call func(ctx context.Context) error) error {
	var err error
	for range throttledTries {
		if err = s.pace.wait(ctx, m.ChatID, m.Urgency); err != nil {
			return err
		}
		callCtx, cancel := context.WithTimeout(ctx, m.timeout())
		err = call(callCtx)
		cancel()
		err = s.note(ctx, m.ChatID, err)
		if Classify(err) != Throttled {
			return err
		}
	}
	return err
}

// note draws the general conclusions from how a call ended, and returns its error.
func (s *Sender) note(ctx context.Context, chatID int64, err error) error {
	switch Classify(err) {
	case Throttled:
		after := RetryAfter(err)
		s.pace.limiter.Close(ctx, gate, after)
		s.log.WarnContext(ctx, "telegram asks to slow down", "operation", "send", "outcome", "throttled", "retry_after", after)
	case Unreachable:
		if chatID != 0 {
			s.onUnreachable(ctx, chatID)
		}
	default:
	}
	return err
}

func (m Message) text() *telego.SendMessageParams {
	params := &telego.SendMessageParams{
		ChatID:             telegoutil.ID(m.ChatID),
		Text:               m.HTML,
		ParseMode:          telego.ModeHTML,
		LinkPreviewOptions: &telego.LinkPreviewOptions{IsDisabled: true},
	}
	if m.Keyboard != nil {
		params.ReplyMarkup = m.Keyboard
	}
	return params
}

func (m Message) photo() *telego.SendPhotoParams {
	params := &telego.SendPhotoParams{
		ChatID:    telegoutil.ID(m.ChatID),
		Photo:     telegoutil.FileFromBytes(m.PNG, "key.png"),
		Caption:   m.HTML,
		ParseMode: telego.ModeHTML,
	}
	if m.Keyboard != nil {
		params.ReplyMarkup = m.Keyboard
	}
	return params
}

// named is a file under its name.
type named struct {
	io.Reader

	name string
}

func (n named) Name() string { return n.name }

func (m Message) document() *telego.SendDocumentParams {
	// A reader of its own for each try: the one before may still be read from.
	content := io.NewSectionReader(m.Document.Content, 0, m.Document.Size)
	params := &telego.SendDocumentParams{
		ChatID:    telegoutil.ID(m.ChatID),
		Document:  telego.InputFile{File: named{Reader: content, name: m.Document.Name}},
		Caption:   m.HTML,
		ParseMode: telego.ModeHTML,
	}
	if m.Keyboard != nil {
		params.ReplyMarkup = m.Keyboard
	}
	return params
}

func (m Message) invoice() *telego.SendInvoiceParams {
	return &telego.SendInvoiceParams{
		ChatID:        telegoutil.ID(m.ChatID),
		Title:         m.Invoice.Title,
		Description:   m.Invoice.Description,
		Payload:       m.Invoice.Payload,
		ProviderToken: m.Invoice.ProviderToken,
		Currency:      m.Invoice.Currency,
		Prices:        []telego.LabeledPrice{{Label: m.Invoice.Label, Amount: m.Invoice.Amount}},
		ReplyMarkup:   m.Keyboard,
	}
}
