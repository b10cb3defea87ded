// Package i18n holds every text that a person reads: one catalogue file per language, plural forms, and the forms in
// which money and time are written.
//
// A text is HTML of the kind Telegram reads, or plain (buttons, alerts, invoice titles); the first part of its key says
// which. Arguments are always escaped in HTML, so that a name with a tag in it stays a name. Only a text of the
// catalogue itself is HTML.
package i18n

import (
	"embed"
	"fmt"
	"html"
	"path"
	"strconv"
	"strings"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"

	"atlas-secure/internal/atlas"
)

// Canonical is the language that every text exists in first, and that fills in for an unknown one.
const Canonical = atlas.Russian

//go:embed catalogues/*.yaml
var files embed.FS

// plainFamilies are the first parts of keys whose texts Telegram shows as they are, without markup.
var plainFamilies = map[string]bool{"alert": true, "button": true, "command": true, "invoice": true, "word": true, "format": true}

// IsPlain says whether the text under the key is plain and not HTML.
func IsPlain(key string) bool {
	family, _, _ := strings.Cut(key, ".")
	return plainFamilies[family]
}

// HTML is text that is safe to send with Telegram's HTML parse mode.
type HTML string

// Args are the values of a text's placeholders: strings, integers, atlas.Kopecks, Signed, time.Time, Day and HTML.
type Args map[string]any

// Signed is an amount that is shown with its sign, as in a statement.
type Signed atlas.Kopecks

// Day is a moment of which only the date is shown.
type Day time.Time

// Catalogue holds the texts in every language.
type Catalogue struct {
	languages map[atlas.Language]*Text
	order     []atlas.Language
	onError   func(error)
}

// Text gives the texts of one language.
type Text struct {
	language  atlas.Language
	localizer *goi18n.Localizer
	format    format
	onError   func(error)
}

// Load reads the catalogues. What should be impossible once the tests have passed (a missing key, a missing
// argument) is told to onError, and the person sees the next best text.
func Load(onError func(error)) (*Catalogue, error) {
	bundle := goi18n.NewBundle(language.Make(string(Canonical)))
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	entries, err := files.ReadDir("catalogues")
	if err != nil {
		return nil, fmt.Errorf("catalogues: %w", err)
	}
	c := &Catalogue{languages: map[atlas.Language]*Text{}, onError: onError}
	for _, entry := range entries {
		if _, err := bundle.LoadMessageFileFS(files, path.Join("catalogues", entry.Name())); err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", entry.Name(), err)
		}
		c.order = append(c.order, atlas.Language(strings.TrimSuffix(entry.Name(), ".yaml")))
	}
	for _, lang := range c.order {
		text := &Text{language: lang, localizer: goi18n.NewLocalizer(bundle, string(lang)), onError: onError}
		if err := text.loadFormat(); err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", lang, err)
		}
		c.languages[lang] = text
	}
	if c.languages[Canonical] == nil {
		return nil, fmt.Errorf("catalogue %s is missing", Canonical)
	}
	return c, nil
}

// Languages lists the languages, in a fixed order.
func (c *Catalogue) Languages() []atlas.Language { return c.order }

// Has says whether there is a catalogue for the language.
func (c *Catalogue) Has(lang atlas.Language) bool { return c.languages[lang] != nil }

// In returns the texts in a language, or in the canonical one if there is none.
func (c *Catalogue) In(lang atlas.Language) *Text {
	if text := c.languages[lang]; text != nil {
		return text
	}
	return c.languages[Canonical]
}

// Language is the language of the texts.
func (t *Text) Language() atlas.Language { return t.language }

// HTML gives the text under a key, its arguments escaped.
func (t *Text) HTML(key string, args ...Args) HTML {
	if IsPlain(key) {
		t.onError(fmt.Errorf("text %q is plain, not HTML", key))
		return HTML(html.EscapeString(t.render(key, nil, args, true)))
	}
	return HTML(t.render(key, nil, args, true))
}

// CountHTML gives the form of the text that fits the count, which is its placeholder "count" as well.
func (t *Text) CountHTML(key string, count int, args ...Args) HTML {
	return HTML(t.render(key, count, args, true))
}

// Plain gives a text that is shown without markup.
func (t *Text) Plain(key string, args ...Args) string {
	if !IsPlain(key) {
		t.onError(fmt.Errorf("text %q is HTML, not plain", key))
	}
	return t.render(key, nil, args, false)
}

// CountPlain is CountHTML for a text without markup.
func (t *Text) CountPlain(key string, count int, args ...Args) string {
	return t.render(key, count, args, false)
}

// Has says whether there is a text under the key.
func (t *Text) Has(key string) bool {
	_, err := t.localizer.Localize(&goi18n.LocalizeConfig{MessageID: key, TemplateParser: unparsed})
	return err == nil
}

var (
	parser   = &template.TextParser{Option: "missingkey=error"}
	unparsed = template.IdentityParser{}
)

func (t *Text) render(key string, count any, args []Args, isHTML bool) string {
	values := map[string]any{}
	for _, each := range args {
		for name, value := range each {
			values[name] = t.value(key, value, isHTML)
		}
	}
	if count != nil {
		values["count"] = count
	}
	text, err := t.localizer.Localize(&goi18n.LocalizeConfig{
		MessageID: key, TemplateData: values, PluralCount: count, TemplateParser: parser,
	})
	if err != nil {
		t.onError(fmt.Errorf("text %q in %s: %w", key, t.language, err))
	}
	if text == "" {
		return key
	}
	return strings.TrimRight(text, "\n")
}

// value turns an argument into text, escaped unless it is HTML of ours going into HTML.
func (t *Text) value(key string, value any, isHTML bool) string {
	var text string
	switch v := value.(type) {
	case HTML:
		if isHTML {
			return string(v)
		}
		t.onError(fmt.Errorf("text %q is plain and cannot hold HTML", key))
		text = string(v)
	case string:
		text = v
	case int:
		text = strconv.Itoa(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	case atlas.Kopecks:
		text = t.Money(v)
	case Signed:
		text = t.signedMoney(atlas.Kopecks(v))
	case time.Time:
		text = t.Moment(v)
	case Day:
		text = t.Date(time.Time(v))
	default:
		t.onError(fmt.Errorf("text %q: no form for an argument of type %T", key, value))
		return ""
	}
	if isHTML {
		return html.EscapeString(text)
	}
	return text
}

// Join puts texts under each other, leaving out empty ones.
func Join(separator string, texts ...HTML) HTML {
	kept := make([]string, 0, len(texts))
	for _, text := range texts {
		if text != "" {
			kept = append(kept, string(text))
		}
	}
	return HTML(strings.Join(kept, separator))
}
