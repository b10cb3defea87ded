package botapi

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// openTag is a start tag that waits for its end.
type openTag struct {
	name, argument string
	offset, begin  int // UTF-16 offset and byte position in the text
}

// htmlParser turns Telegram's HTML into a text and its entities, with Telegram's rules and error texts
// (core.telegram.org/bots/api#html-style).
type htmlParser struct {
	source   string
	pos      int
	text     strings.Builder
	units    int // UTF-16 code units written so far
	open     []openTag
	entities []Entity
}

// entityOf maps tags to entity types; the tags with arguments (a, pre, code, blockquote, span) are handled in close.
var entityOf = map[string]string{
	"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
	"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler", "span": "spoiler",
	"a": "text_link", "pre": "pre", "code": "code", "blockquote": "blockquote",
}

func parseHTML(source string) (string, []Entity, error) {
	p := &htmlParser{source: source}
	for p.pos < len(source) {
		var err error
		switch c := source[p.pos]; {
		case c == '&':
			p.reference()
		case c == '<' && strings.HasPrefix(source[p.pos:], "</"):
			err = p.endTag()
		case c == '<':
			err = p.startTag()
		default:
			char, size := utf8.DecodeRuneInString(source[p.pos:])
			p.pos += size
			p.write(char)
		}
		if err != nil {
			return "", nil, err
		}
	}
	if len(p.open) > 0 {
		return "", nil, parseError("Can't find end tag corresponding to start tag %q", p.open[len(p.open)-1].name)
	}
	for i := range p.entities {
		if p.entities[i].Type == "code" {
			p.entities[i].Language = ""
		}
	}
	sortEntities(p.entities)
	return p.text.String(), p.entities, nil
}

func parseError(format string, args ...any) error {
	answer := badRequest("x"+format, args...)
	answer.Description = "Bad Request: can't parse entities: " + strings.TrimPrefix(answer.Description, "Bad Request: x")
	return answer
}

func (p *htmlParser) write(char rune) {
	p.text.WriteRune(char)
	p.units += utf16Length(char)
}

// reference writes the character of &lt; and the like, or the ampersand itself when it begins none.
func (p *htmlParser) reference() {
	char, size := decodeReference(p.source[p.pos:])
	p.pos += size
	p.write(char)
}

func decodeReference(text string) (rune, int) {
	end := 1
	if strings.HasPrefix(text, "&#") {
		base, digits := 10, "0123456789"
		end = 2
		if strings.HasPrefix(text, "&#x") {
			base, digits, end = 16, "0123456789abcdefABCDEF", 3
		}
		begin := end
		for end < len(text) && strings.IndexByte(digits, text[end]) >= 0 {
			end++
		}
		code, err := strconv.ParseUint(text[begin:end], base, 32)
		if err != nil || code == 0 || code >= 0x10ffff || end >= 10 || !utf8.ValidRune(rune(code)) {
			return '&', 1
		}
		return rune(code), skipSemicolon(text, end)
	}
	for end < len(text) && isLetter(text[end]) {
		end++
	}
	char, ok := map[string]rune{"lt": '<', "gt": '>', "amp": '&', "quot": '"'}[text[1:end]]
	if !ok {
		return '&', 1
	}
	return char, skipSemicolon(text, end)
}

func skipSemicolon(text string, end int) int {
	if end < len(text) && text[end] == ';' {
		return end + 1
	}
	return end
}

func (p *htmlParser) startTag() error {
	begin := p.pos
	p.pos++
	nameBegin := p.pos
	for p.pos < len(p.source) && !isSpace(p.source[p.pos]) && p.source[p.pos] != '>' {
		p.pos++
	}
	if p.pos == len(p.source) {
		return parseError("Unclosed start tag at byte offset %d", begin)
	}
	tag := openTag{name: strings.ToLower(p.source[nameBegin:p.pos]), offset: p.units, begin: p.text.Len()}
	if entityOf[tag.name] == "" {
		return parseError("Unsupported start tag \"%s\" at byte offset %d", tag.name, begin)
	}
	for {
		p.skipSpaces()
		if p.pos < len(p.source) && p.source[p.pos] == '>' {
			break
		}
		key, value, err := p.attribute(tag.name, begin)
		if err != nil {
			return err
		}
		switch {
		case tag.name == "a" && key == "href":
			tag.argument = value
		case tag.name == "code" && key == "class" && strings.HasPrefix(value, "language-"):
			tag.argument = strings.TrimPrefix(value, "language-")
		case tag.name == "span" && key == "class" && strings.HasPrefix(value, "tg-"):
			tag.argument = strings.TrimPrefix(value, "tg-")
		case tag.name == "blockquote" && key == "expandable":
			tag.argument = "1"
		}
	}
	p.pos++
	if tag.name == "span" && tag.argument != "spoiler" {
		return parseError(`Tag "span" must have class "tg-spoiler" at byte offset %d`, begin)
	}
	p.open = append(p.open, tag)
	return nil
}

// attribute reads one attribute; the position is on its first character.
func (p *htmlParser) attribute(tag string, begin int) (key, value string, err error) {
	unclosed := parseError("Unclosed start tag \"%s\" at byte offset %d", tag, begin)
	keyBegin := p.pos
	for p.pos < len(p.source) && !isSpace(p.source[p.pos]) && strings.IndexByte(`=>/"'`, p.source[p.pos]) < 0 {
		p.pos++
	}
	key = p.source[keyBegin:p.pos]
	if key == "" {
		return "", "", parseError("Empty attribute name in the tag \"%s\" at byte offset %d", tag, begin)
	}
	p.skipSpaces()
	if p.pos == len(p.source) {
		return "", "", unclosed
	}
	if p.source[p.pos] != '=' {
		return key, "", nil
	}
	p.pos++
	p.skipSpaces()
	if p.pos == len(p.source) {
		return "", "", unclosed
	}
	if quote := p.source[p.pos]; quote == '"' || quote == '\'' {
		value, err = p.quoted(quote, begin)
		return key, value, err
	}
	valueBegin := p.pos
	for p.pos < len(p.source) && (isLetter(p.source[p.pos]) || strings.IndexByte("0123456789.-", p.source[p.pos]) >= 0) {
		p.pos++
	}
	if p.pos == len(p.source) {
		return "", "", parseError("Unclosed start tag at byte offset %d", begin)
	}
	if !isSpace(p.source[p.pos]) && p.source[p.pos] != '>' {
		return "", "", parseError("Unexpected end of name token at byte offset %d", valueBegin)
	}
	return key, strings.ToLower(p.source[valueBegin:p.pos]), nil
}

func (p *htmlParser) quoted(quote byte, begin int) (string, error) {
	var value strings.Builder
	p.pos++
	for p.pos < len(p.source) && p.source[p.pos] != quote {
		if p.source[p.pos] == '&' {
			char, size := decodeReference(p.source[p.pos:])
			value.WriteRune(char)
			p.pos += size
			continue
		}
		value.WriteByte(p.source[p.pos])
		p.pos++
	}
	if p.pos+1 >= len(p.source) {
		return "", parseError("Unclosed start tag at byte offset %d", begin)
	}
	p.pos++
	return value.String(), nil
}

func (p *htmlParser) endTag() error {
	begin := p.pos
	if len(p.open) == 0 {
		return parseError("Unexpected end tag at byte offset %d", begin)
	}
	p.pos += 2
	nameBegin := p.pos
	for p.pos < len(p.source) && !isSpace(p.source[p.pos]) && p.source[p.pos] != '>' {
		p.pos++
	}
	name := strings.ToLower(p.source[nameBegin:p.pos])
	p.skipSpaces()
	if p.pos == len(p.source) || p.source[p.pos] != '>' {
		return parseError("Unclosed end tag at byte offset %d", begin)
	}
	p.pos++
	tag := p.open[len(p.open)-1]
	if name != "" && name != tag.name {
		return parseError("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", begin, tag.name, name)
	}
	p.open = p.open[:len(p.open)-1]
	if p.units > tag.offset {
		p.close(tag)
	}
	return nil
}

// close adds the entity of a tag that has some text.
func (p *htmlParser) close(tag openTag) {
	entity := Entity{Type: entityOf[tag.name], Offset: tag.offset, Length: p.units - tag.offset}
	var inner *Entity // an entity over exactly the same text
	if last := len(p.entities) - 1; last >= 0 && p.entities[last].Offset == entity.Offset && p.entities[last].Length == entity.Length {
		inner = &p.entities[last]
	}
	switch {
	case tag.name == "a":
		entity.URL = tag.argument
		if entity.URL == "" {
			entity.URL = p.text.String()[tag.begin:]
		}
		checked, ok := checkURL(entity.URL)
		if !ok {
			return
		}
		entity.URL = checked
	case tag.name == "pre" && inner != nil && inner.Type == "code" && inner.Language != "":
		inner.Type = "pre"
		return
	case tag.name == "code" && inner != nil && inner.Type == "pre" && tag.argument != "":
		inner.Language = tag.argument
		return
	case tag.name == "code":
		entity.Language = tag.argument
	case tag.name == "blockquote" && tag.argument != "":
		entity.Type = "expandable_blockquote"
	}
	p.entities = append(p.entities, entity)
}

func (p *htmlParser) skipSpaces() {
	for p.pos < len(p.source) && isSpace(p.source[p.pos]) {
		p.pos++
	}
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == 0
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
