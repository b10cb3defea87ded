package botapi

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Telegram's limits of texts, in characters after the entities are parsed.
const (
	maxText    = 4096
	maxCaption = 1024
)

// formatted reads a text argument with its parse_mode or entities, as it will be stored: trimmed, entities found.
func formatted(text, parseMode string, args arguments, entitiesName string) (string, []Entity, error) {
	var entities []Entity
	var err error
	switch strings.ToLower(parseMode) {
	case "":
		if err := args.object(entitiesName, "entities", &entities); err != nil {
			return "", nil, err
		}
	case "html":
		if text, entities, err = parseHTML(text); err != nil {
			return "", nil, err
		}
	case "markdown", "markdownv2":
		return "", nil, badRequest("parse_mode %s is not supported by the sandbox; use HTML", parseMode)
	default:
		return "", nil, badRequest("unsupported parse_mode")
	}
	text, entities = trim(text, entities)
	return text, withFound(text, entities), nil
}

// trim removes the white space round a text and moves its entities along.
func trim(text string, entities []Entity) (string, []Entity) {
	text = strings.ReplaceAll(text, "\r", "")
	begin := len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace))
	shift := units(text[:begin])
	text = strings.TrimSpace(text)
	length := units(text)
	var kept []Entity
	for _, entity := range entities {
		first, last := max(entity.Offset-shift, 0), min(entity.Offset+entity.Length-shift, length)
		if first < last {
			entity.Offset, entity.Length = first, last-first
			kept = append(kept, entity)
		}
	}
	return text, kept
}

var found = []struct {
	kind    string
	pattern *regexp.Regexp
}{
	{"url", regexp.MustCompile(`\b(?:https?|tg)://[^\s<>"]*[^\s<>".,;:!?)]`)},
	{"bot_command", regexp.MustCompile(`(?:^|\s)(/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?:$|[^\w/])`)},
	{"mention", regexp.MustCompile(`(?:^|[\s(])(@[A-Za-z][A-Za-z0-9_]{3,31})\b`)},
}

// withFound adds what Telegram finds in a text by itself: links, commands, mentions.
func withFound(text string, entities []Entity) []Entity {
	for _, rule := range found {
		for _, at := range rule.pattern.FindAllStringSubmatchIndex(text, -1) {
			begin, end := at[0], at[1]
			if len(at) > 2 {
				begin, end = at[2], at[3]
			}
			entity := Entity{Type: rule.kind, Offset: units(text[:begin]), Length: units(text[begin:end])}
			if !slices.ContainsFunc(entities, func(other Entity) bool { return collides(entity, other) }) {
				entities = append(entities, entity)
			}
		}
	}
	sortEntities(entities)
	return entities
}

// collides says that nothing may be found inside links and code, and nothing may cross another entity.
func collides(one, other Entity) bool {
	if one.Offset >= other.Offset+other.Length || other.Offset >= one.Offset+one.Length {
		return false
	}
	switch other.Type {
	case "code", "pre", "text_link", "url", "bot_command", "mention":
		return true
	}
	return one.Offset < other.Offset || one.Offset+one.Length > other.Offset+other.Length
}

func sortEntities(entities []Entity) {
	sort.SliceStable(entities, func(i, j int) bool {
		if entities[i].Offset != entities[j].Offset {
			return entities[i].Offset < entities[j].Offset
		}
		return entities[i].Length > entities[j].Length
	})
}

// render writes a text with its entities as safe HTML: everything is escaped, links are http, https, tg or mailto only.
func render(text string, entities []Entity) string {
	starts, ends := map[int][]Entity{}, map[int][]Entity{}
	for _, entity := range entities {
		starts[entity.Offset] = append(starts[entity.Offset], entity)
		end := entity.Offset + entity.Length
		ends[end] = append([]Entity{entity}, ends[end]...) // the innermost closes first
	}
	var out strings.Builder
	at := 0
	source := utf16.Encode([]rune(text))
	tags := func() {
		for _, entity := range ends[at] {
			_, closing := tagsOf(entity, source)
			out.WriteString(closing)
		}
		for _, entity := range starts[at] {
			opening, _ := tagsOf(entity, source)
			out.WriteString(opening)
		}
	}
	for _, char := range text {
		tags()
		out.WriteString(html.EscapeString(string(char)))
		at += utf16Length(char)
	}
	tags()
	return out.String()
}

func tagsOf(entity Entity, source []uint16) (opening, closing string) {
	simple := map[string]string{
		"bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "code": "code", "pre": "pre",
		"blockquote": "blockquote", "expandable_blockquote": "blockquote",
	}
	if tag := simple[entity.Type]; tag != "" {
		return "<" + tag + ">", "</" + tag + ">"
	}
	inside := string(utf16.Decode(source[min(entity.Offset, len(source)):min(entity.Offset+entity.Length, len(source))]))
	switch entity.Type {
	case "spoiler":
		return `<span class="spoiler">`, "</span>"
	case "bot_command":
		return `<a class="command" data-command="` + html.EscapeString(inside) + `">`, "</a>"
	case "text_link", "url":
		link := entity.URL
		if entity.Type == "url" {
			link = inside
		}
		if checked, ok := checkURL(link); ok {
			return `<a href="` + html.EscapeString(checked) + `" target="_blank" rel="noopener noreferrer">`, "</a>"
		}
	}
	return "<span>", "</span>"
}

// checkURL accepts what Telegram makes a link of: http and https with a dot in the host, tg, mailto.
func checkURL(link string) (string, bool) {
	link = strings.TrimSpace(link)
	if !strings.Contains(link, "://") && !strings.HasPrefix(link, "mailto:") {
		link = "http://" + link
	}
	parsed, err := url.Parse(link)
	if err != nil {
		return "", false
	}
	switch parsed.Scheme {
	case "http", "https":
		host := parsed.Hostname()
		return parsed.String(), strings.Contains(strings.Trim(host, "."), ".") || strings.Contains(host, ":")
	case "tg", "mailto":
		return parsed.String(), true
	}
	return "", false
}

func characters(text string) int { return utf8.RuneCountInString(text) }

// units counts UTF-16 code units.
func units(text string) int {
	n := 0
	for _, char := range text {
		n += utf16Length(char)
	}
	return n
}

func utf16Length(char rune) int {
	if char > 0xffff {
		return 2
	}
	return 1
}
