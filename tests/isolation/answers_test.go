package isolation_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// event is a step of a permutation, as isolationtester reports it.
type event struct {
	step      string
	isWaiting bool // it began and waits
	isEnd     bool // it waited and has ended
	answer    string
}

// aborted is what Postgres says to the books of a session whose call was refused. Then there is nothing to see: it has
// changed nothing.
const aborted = "ERROR:  current transaction is aborted, commands ignored until end of transaction block"

var dashes = regexp.MustCompile(`^[-+]+$`)

// events reads the report of one permutation.
func events(report string) ([]event, error) {
	var found []event
	lines := strings.Split(report, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		var last *event
		if len(found) > 0 {
			last = &found[len(found)-1]
		}
		switch {
		case strings.HasPrefix(line, "step "):
			name, rest, _ := strings.Cut(strings.TrimPrefix(line, "step "), ":")
			found = append(found, event{step: name, isEnd: strings.HasSuffix(rest, "<... completed>"),
				isWaiting: strings.HasSuffix(rest, "<waiting ...>")})
		case last == nil || line == "":
		case strings.HasSuffix(line, "<waiting ...>"):
			last.isWaiting = true
		case strings.HasPrefix(line, "ERROR:"):
			last.answer = line
		case i+1 < len(lines) && dashes.MatchString(lines[i+1]):
			var rows []string
			names := cells(line)
			for i += 2; i < len(lines) && !strings.HasPrefix(lines[i], "("); i++ {
				rows = append(rows, told(names, cells(lines[i])))
			}
			last.answer = strings.Join(rows, "\n")
		case strings.Contains(line, "NOTICE:") || strings.Contains(line, "WARNING:"):
			return nil, errors.New(line)
		}
	}
	return found, nil
}

func cells(line string) []string {
	all := strings.Split(line, "|")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// told is a row in words: true columns by their name, false and empty ones not at all.
func told(names, values []string) string {
	var words []string
	for i, name := range names {
		if i >= len(values) {
			break
		}
		switch name = strings.TrimPrefix(name, "is_"); {
		case values[i] == "t":
			words = append(words, name)
		case values[i] == "f" && name != "replay":
			words = append(words, "not "+name)
		case values[i] == "f" || values[i] == "":
		case name == "line":
			words = append(words, values[i])
		default:
			words = append(words, name+" "+values[i])
		}
	}
	if len(words) == 0 {
		return "done"
	}
	return strings.Join(words, ", ")
}

// meeting is how a call fared that came while another had not ended.
type meeting struct {
	isWaiting bool
	answer    string
	books     string
}

func (m meeting) String() string {
	var b strings.Builder
	if m.isWaiting {
		b.WriteString("<waiting ...> ")
	}
	b.WriteString(strings.TrimPrefix(m.answer, "ERROR:  "))
	if m.books != "" {
		b.WriteString("\n    " + strings.ReplaceAll(m.books, "\n", "\n    "))
	}
	return b.String()
}

// pair is what came of one permutation of a pair's spec.
type pair struct {
	scene, second           string
	first                   string // its answer
	afterRollback, afterEnd meeting
}

// readPair reads the report of `scene first g rollback books rollback2 first g commit commit2 books`.
func readPair(report string) (pair, error) {
	_, report, _ = strings.Cut(report, "\n")
	all, err := events(report)
	if err != nil {
		return pair{}, err
	}
	var p pair
	half := &p.afterRollback
	if len(all) == 0 {
		return pair{}, errors.New("no steps")
	}
	p.scene = all[0].step
	for _, e := range all[1:] {
		switch e.step {
		case "first":
			if p.first != "" && p.first != e.answer {
				return pair{}, fmt.Errorf("first: %q, then %q", p.first, e.answer)
			}
			p.first = e.answer
		case "rollback", "commit", "commit2":
		case "rollback2":
			half = &p.afterEnd
		case "books":
			if e.answer != aborted {
				half.books = e.answer
			}
		default:
			p.second = e.step
			half.isWaiting = half.isWaiting || e.isWaiting
			if !e.isWaiting {
				half.answer = e.answer
			}
		}
	}
	if p.first == "" || p.afterRollback.answer == "" || p.afterEnd.answer == "" || p.afterEnd.books == "" {
		return pair{}, fmt.Errorf("an answer is missing:\n%s", report)
	}
	return p, nil
}

// readPairs reads the report of a pairs' spec.
func readPairs(report string) ([]pair, error) {
	var all []pair
	for _, permutation := range strings.Split(report, "\nstarting permutation: ")[1:] {
		p, err := readPair(permutation)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// pairsText is the checked-in form: what session 1 was told in each scene; then, for each function in session 2, what it
// was told after session 1 had rolled back, and after it had committed, each with the books then.
func pairsText(first step, all []pair) string {
	var b strings.Builder
	firsts := map[string]string{}
	for _, p := range all {
		if _, isKnown := firsts[p.scene]; !isKnown {
			firsts[p.scene] = p.first
			fmt.Fprintf(&b, "%s, %s: %s\n", first.name, p.scene, p.first)
		}
	}
	for _, p := range all {
		if p.first != firsts[p.scene] {
			fmt.Fprintf(&b, "\nfirst, another time: %s", p.first)
		}
		fmt.Fprintf(&b, "\n%s, %s\n  rollback: %s\n  commit:   %s\n", p.second, p.scene, p.afterRollback, p.afterEnd)
	}
	return b.String()
}
