package botapi

import "encoding/json"

// The objects of the Bot API as they go over the wire; field names are Telegram's.

// User is a person or a bot.
type User struct {
	ID           int64  `json:"id"`
	IsBot        bool   `json:"is_bot"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name,omitempty"`
	Username     string `json:"username,omitempty"`
	LanguageCode string `json:"language_code,omitempty"`
}

// Chat is the private chat of a person and a bot; its id is the person's.
type Chat struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Username  string `json:"username,omitempty"`
}

// Entity marks a part of a text; Offset and Length count UTF-16 code units.
type Entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
	URL      string `json:"url,omitempty"`
	Language string `json:"language,omitempty"`
}

// Message is one message of a chat.
type Message struct {
	MessageID           int                `json:"message_id"`
	From                *User              `json:"from,omitempty"`
	Date                int64              `json:"date"`
	Chat                Chat               `json:"chat"`
	EditDate            int64              `json:"edit_date,omitempty"`
	HasProtectedContent bool               `json:"has_protected_content,omitempty"`
	ReplyToMessage      *Message           `json:"reply_to_message,omitempty"`
	Text                string             `json:"text,omitempty"`
	Entities            []Entity           `json:"entities,omitempty"`
	Photo               []PhotoSize        `json:"photo,omitempty"`
	Document            *Document          `json:"document,omitempty"`
	Caption             string             `json:"caption,omitempty"`
	CaptionEntities     []Entity           `json:"caption_entities,omitempty"`
	Invoice             *Invoice           `json:"invoice,omitempty"`
	SuccessfulPayment   *SuccessfulPayment `json:"successful_payment,omitempty"`
	RefundedPayment     *RefundedPayment   `json:"refunded_payment,omitempty"`
	ReplyMarkup         *InlineKeyboard    `json:"reply_markup,omitempty"`
}

// PhotoSize is an uploaded picture; the emulator keeps one size.
type PhotoSize struct {
	FileID       string `json:"file_id"`
	FileUniqueID string `json:"file_unique_id"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	FileSize     int    `json:"file_size"`
}

// Document is an uploaded file.
type Document struct {
	FileID       string `json:"file_id"`
	FileUniqueID string `json:"file_unique_id"`
	FileName     string `json:"file_name,omitempty"`
	MimeType     string `json:"mime_type,omitempty"`
	FileSize     int    `json:"file_size"`
}

// InlineKeyboard is the keyboard under a message.
type InlineKeyboard struct {
	Rows [][]Button `json:"inline_keyboard"`
}

// Button is an inline button of one of the kinds that the emulator knows: callback, URL, copy text, pay, and those
// that only open something in a real client.
type Button struct {
	Text                         string          `json:"text"`
	Style                        string          `json:"style,omitempty"`
	URL                          string          `json:"url,omitempty"`
	CallbackData                 string          `json:"callback_data,omitempty"`
	CopyText                     *CopyText       `json:"copy_text,omitempty"`
	Pay                          bool            `json:"pay,omitempty"`
	WebApp                       json.RawMessage `json:"web_app,omitempty"`
	LoginURL                     json.RawMessage `json:"login_url,omitempty"`
	SwitchInlineQuery            *string         `json:"switch_inline_query,omitempty"`
	SwitchInlineQueryCurrentChat *string         `json:"switch_inline_query_current_chat,omitempty"`
}

// CopyText is what a button copies.
type CopyText struct {
	Text string `json:"text"`
}

// Invoice is what a message shows of an invoice; amounts are in the currency's smallest unit.
type Invoice struct {
	Title          string `json:"title"`
	Description    string `json:"description"`
	StartParameter string `json:"start_parameter"`
	Currency       string `json:"currency"`
	TotalAmount    int64  `json:"total_amount"`
}

// SuccessfulPayment tells the bot that an invoice was paid.
type SuccessfulPayment struct {
	Currency                string `json:"currency"`
	TotalAmount             int64  `json:"total_amount"`
	InvoicePayload          string `json:"invoice_payload"`
	TelegramPaymentChargeID string `json:"telegram_payment_charge_id"`
	ProviderPaymentChargeID string `json:"provider_payment_charge_id"`
}

// RefundedPayment tells the bot that Stars went back.
type RefundedPayment struct {
	Currency                string `json:"currency"`
	TotalAmount             int64  `json:"total_amount"`
	InvoicePayload          string `json:"invoice_payload"`
	TelegramPaymentChargeID string `json:"telegram_payment_charge_id"`
	ProviderPaymentChargeID string `json:"provider_payment_charge_id,omitempty"`
}

// callbackQuery, preCheckoutQuery and chatMemberUpdated are the updates beside messages.
type callbackQuery struct {
	ID           string   `json:"id"`
	From         User     `json:"from"`
	Message      *Message `json:"message,omitempty"`
	ChatInstance string   `json:"chat_instance"`
	Data         string   `json:"data"`
}

type preCheckoutQuery struct {
	ID             string `json:"id"`
	From           User   `json:"from"`
	Currency       string `json:"currency"`
	TotalAmount    int64  `json:"total_amount"`
	InvoicePayload string `json:"invoice_payload"`
}

type chatMember struct {
	Status    string `json:"status"`
	User      User   `json:"user"`
	UntilDate *int64 `json:"until_date,omitempty"`
}

type chatMemberUpdated struct {
	Chat          Chat       `json:"chat"`
	From          User       `json:"from"`
	Date          int64      `json:"date"`
	OldChatMember chatMember `json:"old_chat_member"`
	NewChatMember chatMember `json:"new_chat_member"`
}

// Command is one line of a bot's command menu.
type Command struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

type labeledPrice struct {
	Label  string `json:"label"`
	Amount int64  `json:"amount"`
}
