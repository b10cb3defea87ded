package migrate

import (
	"regexp"
	"slices"
	"strings"
)

// header is the comment that a file starts with: one sentence, `Locks:`, `Raises:`.
type header []string

func (o object) header() header {
	var lines header
	for _, line := range strings.Split(o.text, "\n") {
		comment, ok := strings.CutPrefix(line, "--")
		if !ok {
			break
		}
		lines = append(lines, strings.TrimSpace(comment))
	}
	return lines
}

var (
	labelled = regexp.MustCompile(`^[A-Z][a-z]+:`)
	sqlState = regexp.MustCompile(`\b[0-9A-Z]{2}[0-9][0-9A-Z]{2}\b`)
)

// field is what stands after a label, up to the next label.
func (h header) field(label string) (string, bool) {
	for i, line := range h {
		value, ok := strings.CutPrefix(line, label+":")
		if !ok {
			continue
		}
		rest := h[i+1:]
		if next := slices.IndexFunc(rest, labelled.MatchString); next >= 0 {
			rest = rest[:next]
		}
		return strings.TrimSpace(value + " " + strings.Join(rest, " ")), true
	}
	return "", false
}

// raises is the sorted list of SQLSTATEs that the header names.
func (h header) raises() []string {
	value, _ := h.field("Raises")
	codes := sqlState.FindAllString(value, -1)
	slices.Sort(codes)
	return slices.Compact(codes)
}
