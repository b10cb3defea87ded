package bot_test

import (
	"fmt"
	"html"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sandbox/botapi"
)

// isCyrillic says whether there is a Cyrillic letter in a text.
func isCyrillic(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return unicode.Is(unicode.Cyrillic, c) })
}

func isLatin(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return unicode.Is(unicode.Latin, c) })
}

var (
	// leftOver is what is never meant for people: a template's placeholder, Go's complaints, a key instead of a text.
	leftOver = regexp.MustCompile(`\{\{|\}\}|<no value>|<nil>|%!|\b(` + families() + `)\.[a-z]\w+`)
	// latinOnly are labels that are the same in every language: names of products, codes and languages.
	latinOnly = regexp.MustCompile(`^(\W*(English|Telegram Stars|Android|Android TV|Linux|Windows|macOS|iPhone|iPad|QR|VIP|WALK|CSV|A/B)\W*)+$|⭐`)
)

// families are the first words of the texts' keys.
var families = sync.OnceValue(func() string {
	raw, err := os.ReadFile("../i18n/catalogues/ru.yaml")
	if err != nil {
		panic(err)
	}
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^(\w+)\.\w+:`).FindAllStringSubmatch(string(raw), -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "|")
})

// check looks at one screen and says what is wrong with it.
func (s *stage) check(m botapi.ChatMessage, on way) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	text, limit := m.Text+m.Caption, screen.MaxText
	if m.Text == "" {
		limit = screen.MaxCaption
	}
	if length := len(utf16.Encode([]rune(text))); length > limit {
		fault("a text of %d characters, %d are allowed", length, limit)
	}
	if text == "" && m.Invoice == nil {
		fault("a screen without a text")
	}
	if found := s.leftOver(text); found != "" {
		fault("something was left over in the text: %q", found)
	}
	for _, each := range on {
		if each.kind == types { // what people write is in whatever language it is
			text = strings.ReplaceAll(text, each.text, "")
		}
	}
	if !s.isInLanguage(text) && m.Invoice == nil {
		fault("the text is not in the language of the person")
	}
	isWayBack := false
	for _, row := range rowsOf(m) {
		for _, button := range row {
			faults = append(faults, s.checkButton(button)...)
			isWayBack = isWayBack || s.leadsBack(button, on)
		}
	}
	if !isWayBack && !isMenu(m) && !s.isFirstQuestion(m) {
		fault("no way back: neither a button to the menu nor one to a screen on the way here")
	}
	return faults
}

// leftOver finds what is not meant for people. Admins see functions and jobs by their names in the database.
func (s *stage) leftOver(text string) string {
	for _, found := range leftOver.FindAllString(text, -1) {
		if !s.names[found] {
			return found
		}
	}
	return ""
}

// withoutNames takes out what is called the same in every language: people's names, functions, jobs and what they work on.
func (s *stage) withoutNames(label string) string {
	var words []string
	for _, word := range strings.Fields(label) {
		if !s.names[word] && !strings.HasPrefix(word, "@") && !strings.HasPrefix(word, "message:") {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

func (s *stage) checkButton(button botapi.Button) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if length := utf8.RuneCountInString(button.Text); length == 0 || length > screen.MaxLabel {
		fault("a label of %d characters: %q", length, button.Text)
	}
	if len(button.CallbackData) > screen.MaxData {
		fault("callback data of %d bytes: %s", len(button.CallbackData), button.CallbackData)
	}
	if found := s.leftOver(button.Text); found != "" {
		fault("something was left over in the label %q", button.Text)
	}
	if target(button) == "nowhere" {
		fault("a dead button: %q leads nowhere", button.Text)
	}
	if button.CallbackData != "" && !s.hasRoute(verbOf(button)) {
		fault("a dead button: no route for %q (%s)", button.Text, button.CallbackData)
	}
	if verbOf(button) != screen.VerbLanguage && !latinOnly.MatchString(button.Text) && !s.isInLanguage(s.withoutNames(button.Text)) {
		fault("the label %q is not in the language of the person", button.Text)
	}
	return faults
}

// isInLanguage says whether a text is Russian for who speaks Russian, and has no Russian for who does not. The
// person's name is in whatever letters it is, and the question which language to speak is in all of them.
func (s *stage) isInLanguage(text string) bool {
	text = strings.ReplaceAll(text, s.me.FirstName, "")
	for _, each := range s.languages {
		text = strings.ReplaceAll(text, shown(each.HTML("language.ask")), "")
	}
	if s.text.Language() == i18n.Canonical {
		return isCyrillic(text) || !isLatin(text)
	}
	return !isCyrillic(text)
}

// shown is a text as it is seen.
func shown(text i18n.HTML) string {
	return html.UnescapeString(tags.ReplaceAllString(string(text), ""))
}

// leadsBack says whether a button leads to the menu, or the admins', or one step up: by its name, or to what was pressed on the way here.
func (s *stage) leadsBack(button botapi.Button, on way) bool {
	return verbOf(button) == screen.VerbMenu || verbOf(button) == screen.VerbAdmin ||
		button.Text == s.text.Plain("button.back") || button.Text == s.text.Plain("button.leave") ||
		button.CallbackData != "" && slices.Contains(on.verbs(), verbOf(button))
}

// isMenu: the menu itself needs no way back.
func isMenu(m botapi.ChatMessage) bool {
	verbs := map[screen.Verb]bool{}
	for _, button := range slices.Concat(rowsOf(m)...) {
		verbs[verbOf(button)] = true
	}
	return verbs[screen.VerbBuy] && verbs[screen.VerbProfile] && verbs[screen.VerbSettings]
}

// isFirstQuestion: who is here for the first time has to say which language to speak, and has nothing to go back to.
func (s *stage) isFirstQuestion(m botapi.ChatMessage) bool {
	return strings.Contains(m.Text, shown(s.text.HTML("language.ask"))) && !s.isLanguageChosen()
}

// refusal is the SQLSTATE whose text a screen shows; "other" for what went wrong, and nothing for any other screen.
func (s *stage) refusal(m botapi.ChatMessage) string {
	for _, code := range s.codes {
		if key := "error." + code; s.text.Has(key) && s.shows(m, key) {
			return code
		}
	}
	other, _, _ := strings.Cut(shown(s.text.HTML("error.other", i18n.Args{"number": "\x00"})), "\x00")
	if strings.HasPrefix(m.Text, other) {
		return "other"
	}
	return ""
}

// shows compares a message with a text without placeholders.
func (s *stage) shows(m botapi.ChatMessage, key string) bool {
	return strings.TrimSpace(m.Text) == strings.TrimSpace(shown(s.text.HTML(key)))
}

// isUnknown says whether the bot has only said that it does not know what was written.
func (s *stage) isUnknown(done outcome) bool {
	return len(done.screens) == 1 && s.shows(done.screens[0], "unknown.text")
}

// checkAnswer looks at what came of an act as a whole.
func (s *stage) checkAnswer(done outcome, last act, who actor) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	switch {
	case done.toast == s.text.Plain("alert.old_button") || done.route == "old_button":
		fault("a dead button: it is answered as one of an earlier version")
	case len(done.screens)+len(done.notices) == 0 && done.toast == "" && last.text != s.text.Plain("button.refresh"):
		fault("nothing is shown")
	case utf8.RuneCountInString(done.toast) > screen.MaxToast:
		fault("a notice over the chat of %d characters", utf8.RuneCountInString(done.toast))
	case done.toast != "" && (!s.isInLanguage(done.toast) && last.data != "" || leftOver.MatchString(done.toast)):
		fault("the notice over the chat is not as it should be: %q", done.toast)
	}
	for _, m := range done.screens {
		code := s.refusal(m)
		if code != "" && last.kind != types && !slices.Contains(who.refusals, code) {
			fault("refused with %s, which %q need not expect (actor.refusals)", code, who.name)
		}
		if last.kind == presses && (s.shows(m, "unknown.text") || s.shows(m, "start_again.text")) {
			fault("a dead button: the bot does not know what is meant")
		}
		if s.shows(m, "payment.provider_down") {
			fault("a way to pay that does not work")
		}
	}
	return faults
}
