package contract_test

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	atlassql "atlas-secure/sql"
	"atlas-secure/tests/contract/desk"
)

// never are refusals that a function passes on in the text and cannot meet in fact.
var never = map[string]map[string]string{
	"account.register":       {"US001": "it locks a user that it has found there"},
	"billing._assign":        {"WA001": "it only adds to balances"},
	"billing._book_payment":  {"WA001": "it only adds to balances"},
	"billing._lock_charge":   {"US001": "a payment has its user, and users are never removed"},
	"billing._reverse":       {"WA001": "revenue has no balance"},
	"billing._settle":        {"US001": "the payer was found a moment before, and users are never removed"},
	"billing._take_money":    {"WA001": "it takes no more than there is"},
	"billing.approve_manual": {"US001": "a purchase has its owner, and users are never removed"},
	"billing.attach_invoice": {"US001": "a purchase has its owner, and users are never removed"},
	"billing.refund_purchase": {"US001": "a purchase has its owner, and users are never removed",
		"WA001": "it only adds to balances"},
	"outbox._lock_leased": {"US001": "a task has its user, and users are never removed"},
	"referral._claw_back": {"WA001": "it takes what is there, and debt for the rest"},
	"referral._reward":    {"WA001": "it only adds to balances, and repays no more than the debt"},
	"wallet.credit":       {"WA001": "it only adds to balances"},
	"withdrawal._end":     {"WA001": "what a pending withdrawal holds is there"},
	"withdrawal._lock":    {"US001": "a withdrawal has its user, and users are never removed"},
}

// source is one function's file: what its header promises and what its body does.
type source struct {
	promised []string
	refuses  []string
	calls    []string
	comment  string
	body     string
}

var (
	refuses = regexp.MustCompile(`_refuse\(\s*'([0-9A-Z]{5})'`)
	calls   = regexp.MustCompile(`\b([a-z]+\.[a-z_]+)\s*\(`)
	guards  = regexp.MustCompile(`core\._guard\((['a-z]*)`)
	code    = regexp.MustCompile(`\b[0-9A-Z]{2}[0-9][0-9A-Z]{2}\b`)
	comment = regexp.MustCompile(`(?m)--.*$`)
)

var sources = sync.OnceValue(func() map[string]source {
	found := map[string]source{}
	files, err := fs.Glob(atlassql.Files, "functions/*/*.sql")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		raw, err := fs.ReadFile(atlassql.Files, file)
		if err != nil {
			panic(err)
		}
		name := path.Base(path.Dir(file)) + "." + strings.TrimSuffix(path.Base(file), ".sql")
		found[name] = readSource(string(raw))
	}
	return found
})

func readSource(text string) source {
	var s source
	header, rest, _ := strings.Cut(text, "create or replace")
	if _, raises, ok := strings.Cut(header, "-- Raises:"); ok {
		s.promised = unique(code.FindAllString(raises, -1))
	}
	_, s.comment, _ = strings.Cut(rest, "\ncomment on ")
	_, body, _ := strings.Cut(rest, "$$")
	body = comment.ReplaceAllString(body[:strings.LastIndex(body, "$$")], "")
	s.body = body
	for _, match := range refuses.FindAllStringSubmatch(body, -1) {
		s.refuses = append(s.refuses, match[1])
	}
	for _, match := range guards.FindAllStringSubmatch(body, -1) {
		s.refuses = append(s.refuses, "OP001")
		if match[1] != "" {
			s.refuses = append(s.refuses, "OP003")
		}
	}
	for _, match := range calls.FindAllStringSubmatch(body, -1) {
		if match[1] != "core._guard" {
			s.calls = append(s.calls, match[1])
		}
	}
	return s
}

func unique(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// raises is what a function can raise by itself or through what it calls.
func raises(name string, on map[string]bool) []string {
	s := sources()[name]
	all := slices.Clone(s.refuses)
	for _, called := range s.calls {
		if _, ok := sources()[called]; ok && !on[called] {
			path := maps.Clone(on)
			path[called] = true
			all = append(all, raises(called, path)...)
		}
	}
	return slices.DeleteFunc(unique(all), func(code string) bool { return never[name][code] != "" })
}

func TestHeadersSayWhatIsRaised(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, sources())
	for name, s := range sources() {
		if name == "core._refuse" {
			continue // the SQLSTATE it is given
		}
		if got := raises(name, map[string]bool{name: true}); !slices.Equal(got, s.promised) {
			t.Errorf("sql/functions/%s.sql: -- Raises: %s; the header says %s", strings.Replace(name, ".", "/", 1),
				strings.Join(got, ", "), strings.Join(s.promised, ", "))
		}
	}
	for name, codes := range never {
		require.Contains(t, sources(), name)
		for code := range codes {
			require.NotContains(t, sources()[name].promised, code, name)
		}
	}
}

// TestBatchesReadTheClockAfterTheirLocks: what a batch writes is not older than what it waited for or passed by.
func TestBatchesReadTheClockAfterTheirLocks(t *testing.T) {
	t.Parallel()
	batches := 0
	for name, s := range sources() {
		if !strings.HasSuffix(name, "_due") {
			continue
		}
		_, after, found := strings.Cut(s.body, "from account.account a")
		if found {
			batches++
			_, after, found = strings.Cut(after, "skip locked")
			require.True(t, found, name)
			require.Contains(t, after, "v_now := core.now();", name)
		}
	}
	require.Equal(t, 7, batches)
}

func TestEveryRefusalHasItsWords(t *testing.T) {
	b := setup(t)
	known := []string{}
	for _, row := range b.owner.Query("select sqlstate from core.refusal order by 1") {
		known = append(known, row["sqlstate"].(string))
	}
	used := []string{}
	for _, s := range sources() {
		used = append(used, s.refuses...)
	}
	require.Equal(t, known, unique(used))
}

// refusalsNeverSeen compares the headers with what the tests of this package provoked.
func refusalsNeverSeen() []string {
	missing := []string{}
	for name, s := range sources() {
		if strings.HasPrefix(path.Ext(name), "._") {
			continue
		}
		for _, code := range s.promised {
			if !desk.Seen(name, code) {
				missing = append(missing, fmt.Sprintf("%s: %s", name, code))
			}
		}
	}
	slices.Sort(missing)
	return missing
}
