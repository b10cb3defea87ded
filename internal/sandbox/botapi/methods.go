package botapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one request of a bot while the server's lock is held.
type call struct {
	*change
	bot    *bot
	args   arguments
	method string
	note   string // "description" beside a good result
}

// methods are the Bot API methods by their names in small letters; getUpdates is apart, because it waits.
var methods = map[string]func(*Server, *call) (any, error){
	"getme":                  (*Server).getMe,
	"setwebhook":             (*Server).setWebhook,
	"deletewebhook":          (*Server).setWebhook,
	"getwebhookinfo":         (*Server).getWebhookInfo,
	"sendmessage":            (*Server).sendMessage,
	"sendphoto":              (*Server).sendPhoto,
	"senddocument":           (*Server).sendDocument,
	"sendinvoice":            (*Server).sendInvoice,
	"createinvoicelink":      (*Server).createInvoiceLink,
	"sendchataction":         (*Server).sendChatAction,
	"copymessage":            (*Server).copyMessage,
	"editmessagetext":        (*Server).editMessageText,
	"editmessagecaption":     (*Server).editMessageCaption,
	"editmessagereplymarkup": (*Server).editMessageReplyMarkup,
	"editmessagemedia":       (*Server).editMessageMedia,
	"deletemessage":          (*Server).deleteMessage,
	"getfile":                (*Server).getFile,
	"getchat":                (*Server).getChat,
	"answercallbackquery":    (*Server).answerCallbackQuery,
	"answerprecheckoutquery": (*Server).answerPreCheckoutQuery,
	"refundstarpayment":      (*Server).refundStarPayment,
	"getstartransactions":    (*Server).getStarTransactions,
	"setmycommands":          (*Server).setMyCommands,
	"getmycommands":          (*Server).getMyCommands,
	"deletemycommands":       (*Server).deleteMyCommands,
}

// paced are the methods that count against the limit of messages per second.
var paced = map[string]bool{
	"sendmessage": true, "sendphoto": true, "senddocument": true, "sendinvoice": true, "copymessage": true,
}

func (s *Server) serveMethod(w http.ResponseWriter, r *http.Request, token, method string) {
	began := time.Now()
	method = strings.ToLower(method)
	if !tokenPattern.MatchString(token) || strings.HasPrefix(token, "0") {
		writeAnswer(w, nil, "", errUnauthorized)
		return
	}
	args, err := readArguments(w, r)
	if err != nil {
		writeAnswer(w, nil, "", asAPIError(err))
		return
	}
	target, _ := strconv.ParseInt(args.text("chat_id"), 10, 64)
	fault := s.takeFault(method, target)
	if !fault.before(r.Context(), w) {
		return
	}
	result, note, err := s.perform(r, token, method, args)
	outcome := "ok"
	if err != nil {
		outcome = err.Error()
	}
	s.log.Debug("bot called", "operation", method, "outcome", outcome, "duration", time.Since(began), "telegram_id", target)
	if !fault.after(r.Context(), w) {
		return
	}
	if err != nil {
		writeAnswer(w, nil, "", asAPIError(err))
		return
	}
	writeAnswer(w, result, note, nil)
}

func (s *Server) perform(r *http.Request, token, method string, args arguments) (result any, note string, err error) {
	if method == "getupdates" {
		result, err = s.getUpdates(r.Context(), token, args)
		return result, "", err
	}
	run := methods[method]
	if run == nil {
		return nil, "", errNoMethod
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, "", errServerShutdown
	}
	c := &call{change: s.newChange(), args: args, method: method}
	if c.bot, err = s.botOf(token); err != nil {
		return nil, "", err
	}
	if s.limiter != nil && paced[method] && !s.limiter.Allow() {
		return nil, "", tooManyRequests(1)
	}
	result, err = run(s, c)
	if err != nil {
		return nil, "", err
	}
	if err := s.commit(c.change); err != nil {
		return nil, "", err
	}
	return result, c.note, nil
}

// botOf finds the bot of a token or makes it: any well-formed token is a bot.
func (s *Server) botOf(token string) (*bot, error) {
	if b := s.state.bots[botKey(token)]; b != nil {
		return b, nil
	}
	b := newBot(token, len(s.state.botOrder), s.opts.Now())
	s.state.bots[b.Key] = b
	s.state.botOrder = append(s.state.botOrder, b)
	made := s.newChange()
	made.saveBot(b)
	return b, s.commit(made) // by itself: the method after it may refuse
}

// addBots makes or renames the bots of the configuration and puts them first.
func (s *Server) addBots(bots []Bot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.newChange()
	for i, wanted := range bots {
		if !tokenPattern.MatchString(wanted.Token) {
			return errUnauthorized
		}
		b, err := s.botOf(wanted.Token)
		if err != nil {
			return err
		}
		if wanted.Username != "" {
			b.User.Username = wanted.Username
		}
		if wanted.FirstName != "" {
			b.User.FirstName = wanted.FirstName
		}
		b.Order = i - len(bots)
		c.saveBot(b)
	}
	s.state.sortBots()
	return s.commit(c)
}

// writeAnswer writes Telegram's envelope.
func writeAnswer(w http.ResponseWriter, result any, note string, failure *apiError) {
	type parameters struct {
		RetryAfter int `json:"retry_after,omitempty"`
	}
	answer := struct {
		OK          bool        `json:"ok"`
		Result      any         `json:"result,omitempty"`
		ErrorCode   int         `json:"error_code,omitempty"`
		Description string      `json:"description,omitempty"`
		Parameters  *parameters `json:"parameters,omitempty"`
	}{OK: failure == nil, Result: result, Description: note}
	status := http.StatusOK
	if failure != nil {
		status, answer.ErrorCode, answer.Description = failure.Code, failure.Code, failure.Description
		if failure.RetryAfter > 0 {
			answer.Parameters = &parameters{RetryAfter: failure.RetryAfter}
			w.Header().Set("Retry-After", strconv.Itoa(failure.RetryAfter))
		}
	}
	writeJSON(w, status, answer)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the other side has gone
}

func (s *Server) getMe(c *call) (any, error) {
	type me struct {
		User
		CanJoinGroups           bool `json:"can_join_groups"`
		CanReadAllGroupMessages bool `json:"can_read_all_group_messages"`
		SupportsInlineQueries   bool `json:"supports_inline_queries"`
	}
	return me{User: c.bot.User, CanJoinGroups: true}, nil
}

// chatArgument finds the private chat that chat_id names. Writing also wants that the person has not blocked the bot.
func (s *Server) chatArgument(c *call, name string, writing bool) (*Person, *chat, error) {
	text := c.args.text(name)
	if text == "" {
		return nil, nil, badRequest("chat_id is empty")
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, nil, errChatNotFound
	}
	person := s.state.people[id]
	ch := c.bot.chats[id]
	if person == nil || ch == nil || !ch.Started {
		return nil, nil, errChatNotFound
	}
	if writing && ch.Blocked {
		return nil, nil, errBlocked
	}
	return person, ch, nil
}

func (s *Server) getChat(c *call) (any, error) {
	person, _, err := s.chatArgument(c, "chat_id", false)
	if err != nil {
		return nil, err
	}
	type fullInfo struct {
		Chat
		AccentColorID    int      `json:"accent_color_id"`
		MaxReactionCount int      `json:"max_reaction_count"`
		AcceptedGifts    struct{} `json:"accepted_gift_types"`
	}
	return fullInfo{Chat: person.chat(), MaxReactionCount: 11}, nil
}
