package botapi

import (
	"encoding/json"
	"net/url"
	"strings"
)

// Telegram's limits of inline keyboards.
const (
	maxButtons      = 100
	maxCallbackData = 64 // bytes
	maxCopyText     = 256
)

// markup reads reply_markup: an inline keyboard, or another kind of keyboard as it came.
func markup(c *call) (*InlineKeyboard, json.RawMessage, error) {
	text := c.args.text("reply_markup")
	if text == "" {
		return nil, nil, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil {
		if json.Valid([]byte(text)) {
			return nil, nil, badRequest("object expected as reply markup")
		}
		return nil, nil, badRequest("can't parse reply keyboard markup JSON object")
	}
	raw, ok := object["inline_keyboard"]
	if !ok {
		return nil, json.RawMessage(text), nil
	}
	var rows [][]json.RawMessage
	if json.Unmarshal(raw, &rows) != nil {
		return nil, nil, badRequest(`field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays`)
	}
	keyboard := &InlineKeyboard{}
	total := 0
	for _, row := range rows {
		var buttons []Button
		for _, raw := range row {
			button, err := parseButton(raw)
			if err != nil {
				return nil, nil, err
			}
			buttons = append(buttons, button)
		}
		if total += len(buttons); len(buttons) > 0 {
			keyboard.Rows = append(keyboard.Rows, buttons)
		}
	}
	if total > maxButtons {
		return nil, nil, badRequest("reply markup is too long")
	}
	if len(keyboard.Rows) == 0 {
		return nil, nil, nil
	}
	return keyboard, nil, nil
}

func parseButton(raw json.RawMessage) (Button, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		return Button{}, badRequest("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
	}
	if _, ok := fields["text"]; !ok {
		return Button{}, badRequest(`can't parse inline keyboard button: Can't find field "text"`)
	}
	var button Button
	if err := json.Unmarshal(raw, &button); err != nil {
		return Button{}, badRequest("can't parse inline keyboard button: %s", err)
	}
	switch {
	case button.URL != "":
		checked, ok := checkButtonURL(button.URL)
		if !ok {
			return Button{}, badRequest("inline keyboard button URL '%s' is invalid: Wrong HTTP URL", button.URL)
		}
		button.URL = checked
	case button.CallbackData != "":
		if len(button.CallbackData) > maxCallbackData {
			return Button{}, badRequest("BUTTON_DATA_INVALID")
		}
	case button.CopyText != nil:
		if n := characters(button.CopyText.Text); n < 1 || n > maxCopyText {
			return Button{}, badRequest("BUTTON_COPY_TEXT_INVALID")
		}
	case button.Pay, button.WebApp != nil, button.LoginURL != nil,
		button.SwitchInlineQuery != nil, button.SwitchInlineQueryCurrentChat != nil:
	default:
		return Button{}, badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
	}
	if strings.TrimSpace(button.Text) == "" {
		return Button{}, badRequest("inline keyboard button text must be non-empty")
	}
	return button, nil
}

func checkButtonURL(link string) (string, bool) {
	if parsed, err := url.Parse(link); err == nil && parsed.Scheme == "tg" {
		return link, true
	}
	checked, ok := checkURL(link)
	return checked, ok && !strings.HasPrefix(checked, "mailto:")
}

// checkPayButton says where a Pay button may be: first in the keyboard of an invoice, and there it must be.
func checkPayButton(keyboard *InlineKeyboard, isInvoice bool) error {
	if keyboard == nil {
		return nil
	}
	for i, row := range keyboard.Rows {
		for j, button := range row {
			first := i == 0 && j == 0
			if button.Pay && (!isInvoice || !first) {
				return badRequest("BUTTON_TYPE_INVALID")
			}
			if isInvoice && first && !button.Pay {
				return badRequest("REPLY_MARKUP_BUY_EMPTY")
			}
		}
	}
	return nil
}

// button finds a callback button by its data.
func (k *InlineKeyboard) button(data string) bool {
	if k == nil {
		return false
	}
	for _, row := range k.Rows {
		for _, button := range row {
			if button.CallbackData == data && data != "" {
				return true
			}
		}
	}
	return false
}
