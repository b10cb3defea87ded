package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

var update = flag.Bool("update", false, "write testdata/transcript.golden instead of comparing with it")

// TestTranscript walks through the bot's screens in both languages and keeps what a person sees, for people to read.
func TestTranscript(t *testing.T) {
	t.Parallel()
	b := setup(t)
	walks := []struct{ title, name, language string }{
		{"По-русски: Мария", "Мария", "ru"},
		{"In English: Mary", "Mary", "en"},
	}
	texts := make([]string, len(walks))
	t.Run("walks", func(t *testing.T) {
		for i, w := range walks {
			t.Run(w.language, func(t *testing.T) {
				t.Parallel()
				b := b.in(t)
				reader := &walk{bundle: b, customer: b.newCustomer(w.name, w.language)}
				fmt.Fprintf(&reader.text, "════ %s ════\n\n", w.title)
				reader.through(w.language)
				texts[i] = reader.normalised()
			})
		}
	})
	if t.Failed() {
		return
	}
	got := strings.Join(texts, "\n")
	golden := filepath.Join("testdata", "transcript.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "what people see has changed; if that is meant: go test ./tests/e2e -run TestTranscript -update")
}

// walk is one person's way through the screens, written down.
type walk struct {
	*bundle
	*customer
	text strings.Builder
	seen botapi.ChatView
}

// must fails the test with the transcript so far.
func (w *walk) must(err error) {
	w.Helper()
	require.NoError(w, err, "after:\n%s", w.text.String())
}

// writes sends a text to the bot; presses taps a button. Both then write down what the bot changed in the chat: so many
// messages, or none when it answers with a notice over the chat only.
func (w *walk) writes(text string, changes int) {
	w.Helper()
	fmt.Fprintf(&w.text, "▶ %s\n", text)
	w.must(w.say(text).err)
	w.changes(changes)
}

func (w *walk) presses(label string, changes int) {
	w.Helper()
	fmt.Fprintf(&w.text, "▶ [%s]\n", label)
	answer, err := w.Press(w.customer.ctx, label)
	w.must(err)
	require.True(w, answer.IsAnswered, "no answer to %s", label)
	if answer.Text != "" {
		fmt.Fprintf(&w.text, "  (over the chat: %s)\n", answer.Text)
	}
	w.changes(changes)
}

// happens writes down something that the person does elsewhere, and what the bot says to it.
func (w *walk) happens(what string, changes int) {
	w.Helper()
	fmt.Fprintf(&w.text, "▶ (%s)\n", what)
	w.changes(changes)
}

// changes waits for so many messages of the bot that are new or different, and writes them down.
func (w *walk) changes(count int) {
	w.Helper()
	var changed []botapi.ChatMessage
	view, err := w.WaitChat(w.customer.ctx, func(view botapi.ChatView) bool {
		changed = w.changed(view)
		return len(changed) >= count
	})
	w.must(err)
	require.Len(w, changed, count, "%s", w.text.String())
	// What the worker sends at the same time may come in any order: the key last.
	slices.SortStableFunc(changed, func(x, y botapi.ChatMessage) int { return len(x.Photo) - len(y.Photo) })
	for _, m := range changed {
		w.show(m)
	}
	w.text.WriteString("\n")
	w.seen = view
}

func (w *walk) changed(view botapi.ChatView) []botapi.ChatMessage {
	var changed []botapi.ChatMessage
	for _, m := range view.Messages {
		isSeen := slices.ContainsFunc(w.seen.Messages, func(old botapi.ChatMessage) bool {
			return old.MessageID == m.MessageID && look(old) == look(m)
		})
		if m.IsOutgoing && !isSeen {
			changed = append(changed, m)
		}
	}
	return changed
}

// look is what can be seen of a message.
func look(m botapi.ChatMessage) string {
	var text strings.Builder
	switch {
	case m.Photo != nil:
		text.WriteString("(a picture)\n")
	case m.Invoice != nil:
		fmt.Fprintf(&text, "(an invoice: %s. %s %d %s)\n", m.Invoice.Title, m.Invoice.Description, m.Invoice.TotalAmount, m.Invoice.Currency)
	}
	if m.Text+m.Caption != "" {
		text.WriteString(m.Text + m.Caption + "\n")
	}
	if m.ReplyMarkup != nil {
		for _, row := range m.ReplyMarkup.Rows {
			labels := make([]string, 0, len(row))
			for _, button := range row {
				label := button.Text
				if button.URL != "" {
					label += " → " + button.URL
				}
				labels = append(labels, "["+label+"]")
			}
			text.WriteString(strings.Join(labels, " ") + "\n")
		}
	}
	return text.String()
}

func (w *walk) show(m botapi.ChatMessage) {
	edge := "│ "
	if slices.ContainsFunc(w.seen.Messages, func(old botapi.ChatMessage) bool { return old.MessageID == m.MessageID }) {
		edge = "┊ " // in place of what was there
	}
	for line := range strings.Lines(look(m)) {
		w.text.WriteString(strings.TrimRight(edge+strings.TrimRight(line, "\n"), " ") + "\n")
	}
}

var (
	dateForm = `\d{1,2} (января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|` +
		`January|February|March|April|May|June|July|August|September|October|November|December) \d{4}`
	fleeting = []struct {
		form *regexp.Regexp
		name string
	}{
		{regexp.MustCompile(`[\x{00a0}\x{202f}]`), " "},
		{regexp.MustCompile(`vless://\S+`), "vless://…"},
		{regexp.MustCompile(`http://127\.0\.0\.1:\d+/\S*[^\]\s]`), "http://…"},
		{regexp.MustCompile(dateForm + `, \d{2}:\d{2}( UTC| \(МСК\))`), "‹date, time›"},
		{regexp.MustCompile(dateForm), "‹date›"},
	}
)

// normalised is the transcript without what differs from run to run.
func (w *walk) normalised() string {
	text := strings.ReplaceAll(w.text.String(), fmt.Sprint(w.ID), "‹id›")
	for _, f := range fleeting {
		text = f.form.ReplaceAllString(text, f.name)
	}
	return strings.TrimRight(text, "\n") + "\n"
}

// address is what is behind a button, in the newest message that has it.
func (w *walk) address(label string) string {
	w.Helper()
	for _, m := range slices.Backward(w.seen.Messages) {
		if button, ok := person.FindButton(m, label); ok && button.URL != "" {
			return button.URL
		}
	}
	w.Fatalf("no link %q in:\n%s", label, w.text.String())
	return ""
}
