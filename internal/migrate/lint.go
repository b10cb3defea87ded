package migrate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxColumns = 100

var (
	creates     = regexp.MustCompile(`(?im)^\s*create\s+(?:or\s+replace\s+)?(function|view|materialized view|procedure)\s+([\w.]+)`)
	comments    = regexp.MustCompile(`(?im)^\s*comment\s+on\s+(function|view)\s+([\w.]+)`)
	commentText = regexp.MustCompile(`(?is)\bcomment\s+on\s+[^;']*\bis\s+(?:'(?:[^']|'')*'\s*)+;`)
	errCode     = regexp.MustCompile(`(?i)(?:\berrcode\s*:?=\s*|_refuse\(\s*)'([0-9A-Z]{5})'`)
	whenOthers  = regexp.MustCompile(`(?i)\bwhen\s+(?:\w+\s+or\s+)*others\b`)
	bareNow     = regexp.MustCompile(`(?i)(?:^|[^\w.])(?:now\(\)|current_timestamp\b|transaction_timestamp\(\))`)
)

// lintFiles checks what can be seen in the files alone.
func lintFiles(files objects) []string {
	var problems []string
	for _, key := range files.keys() {
		o := files[key]
		for _, problem := range lintFile(o) {
			problems = append(problems, "sql/"+key+": "+problem)
		}
	}
	return problems
}

func lintFile(o object) []string {
	var problems []string
	text := code(o.text)
	problems = append(problems, lintNames(o, text)...)
	if o.kind == kindFunction {
		problems = append(problems, lintHeader(o, text)...)
	}
	text = commentText.ReplaceAllString(text, "")
	if whenOthers.MatchString(text) {
		problems = append(problems, "`when others` hides deadlocks and lock timeouts: name the conditions")
	}
	if bareNow.MatchString(text) {
		problems = append(problems, "the transaction's clock stands still while it waits: use core.now()")
	}
	for i, line := range strings.Split(o.text, "\n") {
		if n := utf8.RuneCountInString(line); n > maxColumns {
			problems = append(problems, fmt.Sprintf("line %d has %d columns, at most %d", i+1, n, maxColumns))
		}
		if strings.Contains(line, "\t") {
			problems = append(problems, fmt.Sprintf("line %d has a tab", i+1))
		}
	}
	return problems
}

func lintNames(o object, text string) []string {
	var problems []string
	made := creates.FindAllStringSubmatch(text, -1)
	if len(made) != 1 || !strings.EqualFold(made[0][1], string(o.kind)) || made[0][2] != o.qualified() {
		problems = append(problems, fmt.Sprintf("creates exactly one thing, the %s %s", o.kind, o.qualified()))
	}
	commented := comments.FindAllStringSubmatch(text, -1)
	if len(commented) != 1 || commented[0][2] != o.qualified() {
		problems = append(problems, fmt.Sprintf("has one `comment on %s %s`", o.kind, o.qualified()))
	}
	return problems
}

func lintHeader(o object, text string) []string {
	var problems []string
	h := o.header()
	if len(h) == 0 || h[0] == "" || strings.HasPrefix(h[0], "Locks:") || strings.HasPrefix(h[0], "Raises:") {
		problems = append(problems, "starts with a comment: one sentence, then `-- Locks:` and `-- Raises:`")
	}
	for _, label := range []string{"Locks", "Raises"} {
		if value, ok := h.field(label); !ok || value == "" {
			problems = append(problems, "the header lacks `-- "+label+":`")
		}
	}
	listed := h.raises()
	for _, match := range errCode.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(listed, match[1]) {
			problems = append(problems, fmt.Sprintf("raises %s, and `-- Raises:` does not name it", match[1]))
		}
	}
	return problems
}
