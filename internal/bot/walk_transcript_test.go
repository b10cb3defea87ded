package bot_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sandbox/botapi"
)

// fleeting is what differs from run to run, and what stands for it in the transcript.
var fleeting = []struct {
	form *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`[\x{00a0}\x{202f}]`), " "},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "‹id›"},
	{regexp.MustCompile(`vless://\S+`), "vless://…"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+/\S*[^\]\s]`), "http://…"},
	{regexp.MustCompile(`ref_[0-9a-f]{16}`), "ref_‹code›"},
	{regexp.MustCompile(`( → \w+:)\d+\]`), "$1‹n›]"},
	{regexp.MustCompile(`(?i)(№|no\.|#) ?\d+`), "$1 ‹n›"},
	{regexp.MustCompile(`\d{4}-\d{2}-\d{2}-part`), "‹day›-part"},
	{regexp.MustCompile(months + `, \d{2}:\d{2}( UTC| \(МСК\))`), "‹date, time›"},
	{regexp.MustCompile(months), "‹date›"},
}

// chosen is what chance or the machine chooses: it is replaced in the whole transcript, since ways are told apart by it.
var chosen = []struct {
	form *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`[\w.-]+/\d+/[0-9a-f]{8}`), "‹process›"},
	{regexp.MustCompile(`PostgreSQL \d[^,\n]*`), "PostgreSQL ‹version›"},
	{regexp.MustCompile(`\d+ (МБ, сеансов) \d+ из \d+`), "‹n› $1 ‹n› из ‹n›"},
	{regexp.MustCompile(`\d+ MB, \d+ of \d+ sessions`), "‹n› MB, ‹n› of ‹n› sessions"},
	{regexp.MustCompile(`\b[0-9a-f]{16}\b`), "‹code›"},
	{regexp.MustCompile(`\b[2-9A-HJ-NP-Z]{10}\b`), "‹CODE›"},
}

const months = `\d{1,2} (января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|` +
	`January|February|March|April|May|June|July|August|September|October|November|December) \d{4}`

// plain is a text without what differs from run to run.
func (s *stage) plain(text string) string {
	text = strings.ReplaceAll(text, strconv.FormatInt(s.me.ID, 10), "‹me›")
	for _, f := range fleeting {
		text = f.form.ReplaceAllString(text, f.name)
	}
	return text
}

var digits = regexp.MustCompile(`\d+`)

// plainData is a button's data without ids, which may be numbers.
func (s *stage) plainData(data string) string {
	return digits.ReplaceAllString(s.plain(data), "‹n›")
}

// look is what can be seen of a message, and where its buttons lead.
func look(m botapi.ChatMessage) string {
	var text strings.Builder
	switch {
	case m.Photo != nil:
		text.WriteString("(a picture)\n")
	case m.Document != nil:
		fmt.Fprintf(&text, "(a file: %s)\n", m.Document.FileName)
	case m.Invoice != nil:
		fmt.Fprintf(&text, "(an invoice: %s. %s %d %s)\n", m.Invoice.Title, m.Invoice.Description, m.Invoice.TotalAmount, m.Invoice.Currency)
	}
	text.WriteString(strings.TrimRight(m.Text+m.Caption, "\n") + "\n")
	for _, row := range rowsOf(m) {
		labels := make([]string, 0, len(row))
		for _, button := range row {
			labels = append(labels, "["+button.Text+" → "+target(button)+"]")
		}
		text.WriteString(strings.Join(labels, " ") + "\n")
	}
	return text.String()
}

func rowsOf(m botapi.ChatMessage) [][]botapi.Button {
	if m.ReplyMarkup == nil {
		return nil
	}
	return m.ReplyMarkup.Rows
}

func target(button botapi.Button) string {
	switch {
	case button.CallbackData != "":
		return button.CallbackData
	case button.URL != "":
		return button.URL
	case button.CopyText != nil:
		return "copies"
	case button.Pay:
		return "pays"
	}
	return "nowhere"
}

// seen is one screen of the transcript.
type seen struct {
	route, way, toast, look string
}

// transcript is what an actor saw, in the order of the walk.
type transcript []seen

// masked is a text without what chance or the machine chooses.
func masked(text string) string {
	for _, f := range chosen {
		text = f.form.ReplaceAllString(text, f.name)
	}
	return text
}

// write puts what several actors saw together: every screen once.
func write(title string, names []string, all map[string]transcript) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\nWritten by TestEveryRouteIsWalked (internal/bot); see walk_doc_test.go.\n", title)
	known := map[string]bool{}
	for _, name := range names {
		fmt.Fprintf(&text, "\n## %s\n", name)
		for _, each := range all[name] {
			key := masked(each.route + "\n" + each.toast + "\n" + each.look)
			if known[key] || each.toast+each.look == "" {
				continue
			}
			known[key] = true
			fmt.Fprintf(&text, "\n### %s\n\nby %s\n", each.route, each.way)
			if each.toast != "" {
				fmt.Fprintf(&text, "\nover the chat: %s\n", each.toast)
			}
			if each.look != "" {
				fmt.Fprintf(&text, "\n```\n%s```\n", each.look)
			}
		}
	}
	return masked(text.String())
}

func transcriptFile(language string) string {
	return filepath.Join("testdata", "transcript_"+language+".md")
}

// dialogueStep reads "<dialogue>.<step>" from what Redis keeps of somebody.
func dialogueStep(text string) string {
	var kept struct{ Name, Step string }
	if text == "" || json.Unmarshal([]byte(text), &kept) != nil {
		return ""
	}
	return kept.Name + "." + kept.Step
}

// verbOf is a button's verb, or nothing.
func verbOf(button botapi.Button) screen.Verb {
	verb, _ := screen.Parse(button.CallbackData)
	return verb
}
