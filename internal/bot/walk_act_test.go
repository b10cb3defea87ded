package bot_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// act is one thing that a person does. What is pressed is known by its looks: ids in it differ from walk to walk.
type act struct {
	kind string // one of the next
	text string // what is written, or the button's label
	data string // of a press: the button's, without ids
	at   string // of what is typed: the dialogue's step
}

const (
	writes  = "writes"  // a command
	types   = "types"   // the answer to a question
	presses = "presses" // a button with callback data
	pays    = "pays"    // an invoice in the chat
	follows = "follows" // a link to Crypto Pay, and pays there
)

func (a act) String() string {
	switch a.kind {
	case types:
		text := a.text
		if len(text) > 40 {
			text = string([]rune(text)[:40]) + "…"
		}
		return "«" + text + "»"
	case presses:
		return "[" + a.text + "]"
	case pays:
		return "(pays)"
	case follows:
		return "(pays in Crypto Pay)"
	default:
		return a.text
	}
}

// way is what to do one after the other, from the beginning.
type way []act

func (w way) String() string {
	words := make([]string, 0, len(w))
	for _, each := range w {
		words = append(words, each.String())
	}
	return strings.Join(words, " › ")
}

// last is what the way leads to. It counts as the same thing wherever the button is and whatever the numbers on it are
// (prices, months, dates), but not before and after a payment.
func (w way) last() string {
	last := w[len(w)-1]
	key := fmt.Sprint(last.kind, " ", last.at, " ", last.data, " ", last.text)
	if last.kind == presses {
		key = digits.ReplaceAllString(key, "‹n›")
	}
	if len(w) > 1 && (w[len(w)-2].kind == pays || w[len(w)-2].kind == follows) {
		key += " after a payment"
	}
	return key
}

// verbs are those pressed on the way, but for the last. A command counts as the button of the same name.
func (w way) verbs() []screen.Verb {
	var verbs []screen.Verb
	for _, each := range w[:len(w)-1] {
		switch each.kind {
		case presses:
			verb, _ := screen.Parse(each.data)
			verbs = append(verbs, verb)
		case writes:
			verbs = append(verbs, screen.Verb(strings.TrimPrefix(each.text, "/")))
		}
	}
	return verbs
}

// outcome is what came of an act.
type outcome struct {
	route   string // what the bot itself calls it
	toast   string
	screens []botapi.ChatMessage // new or changed ones
	notices []botapi.ChatMessage // what the worker sent afterwards
	step    string               // where in a dialogue the person stands now
}

// do does one thing and waits for all that comes of it. Messages are those of the walk, in which buttons are looked for.
func (s *stage) do(a act, since int) outcome {
	s.t.Helper()
	before, counts := s.view(), s.handled()
	var done outcome
	switch a.kind {
	case presses:
		done.toast = s.pressLike(a, before, since)
	case pays:
		s.payInvoice(before, since)
	case follows:
		s.payCrypto(before, since)
		return done // the bot learns it when it is asked
	default:
		_, err := s.me.Send(s.ctx, s.fill(a.text))
		require.NoError(s.t, err)
	}
	done.route = s.handledSince(counts)
	shown := s.view()
	done.screens = changed(before, shown)
	s.work()
	done.notices = changed(shown, s.view())
	done.step = s.step()
	return done
}

func (s *stage) view() botapi.ChatView {
	s.t.Helper()
	view, err := s.me.Chat(s.ctx)
	require.NoError(s.t, err)
	return view
}

// fill puts the actor's words in, and the actor's number for {me}.
func (s *stage) fill(text string) string {
	text = strings.ReplaceAll(text, "{me}", strconv.FormatInt(s.me.ID, 10))
	for name, word := range s.words {
		text = strings.ReplaceAll(text, "{"+name+"}", word)
	}
	return text
}

// button looks for a button in the messages of this walk, the newest first.
func (s *stage) button(view botapi.ChatView, since int, fits func(botapi.Button) bool) (int, botapi.Button) {
	s.t.Helper()
	for _, m := range slices.Backward(view.Messages) {
		if m.MessageID <= since || m.ReplyMarkup == nil {
			continue
		}
		for _, row := range m.ReplyMarkup.Rows {
			if i := slices.IndexFunc(row, fits); i >= 0 {
				return m.MessageID, row[i]
			}
		}
	}
	s.t.Fatalf("the button is not there any more; the chat:\n%s", person.Transcript(view))
	return 0, botapi.Button{}
}

func (s *stage) pressLike(a act, view botapi.ChatView, since int) (toast string) {
	s.t.Helper()
	message, button := s.button(view, since, s.isLike(a))
	answer, err := s.me.PressData(s.ctx, message, button.CallbackData)
	require.NoError(s.t, err)
	require.True(s.t, answer.IsAnswered, "a dead button: nobody answers the press of %s (%s)", a, a.data)
	return answer.Text
}

func (s *stage) payInvoice(view botapi.ChatView, since int) {
	s.t.Helper()
	message, _ := s.button(view, since, func(each botapi.Button) bool { return each.Pay })
	result, err := s.me.Pay(s.ctx, message)
	require.NoError(s.t, err)
	require.EqualValues(s.t, "paid", result.Status, result.ErrorMessage)
}

func (s *stage) payCrypto(view botapi.ChatView, since int) {
	s.t.Helper()
	_, button := s.button(view, since, func(each botapi.Button) bool { return strings.HasPrefix(each.URL, s.pay.URL) })
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, button.URL, http.NoBody)
	require.NoError(s.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	require.Equal(s.t, http.StatusOK, response.StatusCode)
}

// changed are the bot's messages that are new or look different.
func changed(before, after botapi.ChatView) []botapi.ChatMessage {
	var found []botapi.ChatMessage
	for _, m := range after.Messages {
		isSeen := slices.ContainsFunc(before.Messages, func(old botapi.ChatMessage) bool {
			return old.MessageID == m.MessageID && look(old) == look(m)
		})
		if m.IsOutgoing && !isSeen {
			found = append(found, m)
		}
	}
	return found
}
