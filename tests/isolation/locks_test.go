package isolation_test

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	atlassql "atlas-secure/sql"
)

// header is what a function's file says in its line `-- Locks:`, by function.
var headers = sync.OnceValue(func() map[string]string {
	files, err := fs.Glob(atlassql.Files, "functions/*/*.sql")
	if err != nil {
		panic(err)
	}
	found := map[string]string{}
	for _, file := range files {
		raw, err := fs.ReadFile(atlassql.Files, file)
		if err != nil {
			panic(err)
		}
		match := locks.FindStringSubmatch(string(raw))
		if match == nil {
			panic(file + " has no -- Locks:")
		}
		found[path.Base(path.Dir(file))+"."+strings.TrimSuffix(path.Base(file), ".sql")] = match[1]
	}
	return found
})

var (
	locks      = regexp.MustCompile(`(?m)^-- Locks: (.*)$`)
	meets      = regexp.MustCompile(`\busers?\b|outbox\.task|promo\.use|account\.admin row($|[^ ]| [^(])`)
	takesUser  = regexp.MustCompile(`\buser\b`)
	takesUsers = regexp.MustCompile(`^(lease|account\.admin row \(share\)), users \(rows, skip locked\)`)
)

// TestEveryFunctionThatLocksAUserHasAStep reads the headers: what locks a user, the user's tasks or codes, or an admin's
// rights, meets every other such function here.
func TestEveryFunctionThatLocksAUserHasAStep(t *testing.T) {
	t.Parallel()
	wanted := []string{}
	for name, header := range headers() {
		if !strings.HasPrefix(path.Ext(name), "._") && meets.MatchString(header) {
			wanted = append(wanted, name)
		}
	}
	slices.Sort(wanted)
	require.Greater(t, len(wanted), 40)
	have := []string{}
	for _, s := range steps {
		require.Contains(t, s.sql, s.function()+"(", s.name)
		have = append(have, s.function())
	}
	slices.Sort(have)
	require.Equal(t, wanted, slices.Compact(have))
}

// TestEveryPairIsThere reads the folder: a spec and an output per step, in each of them every step, and nothing else.
func TestEveryPairIsThere(t *testing.T) {
	t.Parallel()
	wanted := []string{}
	for _, s := range steps {
		wanted = append(wanted, pairFile(s, ".spec"), pairFile(s, ".out"))
		out := readFile(t, pairFile(s, ".out"))
		for _, second := range steps {
			require.Equal(t, 1, strings.Count(out, fmt.Sprintf("\n%s, %s\n  rollback: ", second.name, sceneOf(s, second))),
				"%s, then %s", s.name, second.name)
		}
	}
	slices.Sort(wanted)
	require.Equal(t, wanted, filesIn(t, "pairs"))
}

// subjects is where there is what a step is about, for those that bring only an id and have to find the user by it.
var subjects = map[string]string{
	"scene.purchase('buy')":       anywhere + " blocked",
	"scene.purchase('first')":     "subscriber withdrawing unclaimed renewing over blocked",
	"'cryptobot', 'second'":       "subscriber withdrawing unclaimed blocked",
	"scene.task('provision')":     "subscriber withdrawing renewing over blocked",
	"scene.task('message')":       "subscriber withdrawing renewing over newcomer blocked",
	"scene.withdrawal('pending')": "withdrawing",
}

// bringsUser matches a call that names the user itself, first or after the admin.
var bringsUser = regexp.MustCompile(`\((1, )?1001,`)

// locksUser tells whether a step comes to lock the user.
func (s step) locksUser(scene string) bool {
	if !takesUser.MatchString(headers()[s.function()]) {
		return false
	}
	for subject, there := range subjects {
		if strings.Contains(s.sql, subject) && !bringsUser.MatchString(s.sql) {
			return slices.Contains(strings.Fields(there), scene)
		}
	}
	return true
}

// admin is how a step holds the acting admin's row.
func (s step) admin() string {
	switch header := headers()[s.function()]; {
	case !strings.Contains(header, "account.admin row"), s.name == "vpn.reissue": // by the user
		return ""
	case strings.Contains(header, "account.admin row (share)"):
		return "share"
	default:
		return "exclusive"
	}
}

// uses is how a step holds the uses of promo codes. Only buyers with a code do, and those who give its use back.
func (s step) uses() string {
	switch header := headers()[s.function()]; {
	case strings.Contains(header, "promo.use (share row exclusive)"):
		return "exclusive"
	case s.name == "billing.open_purchase with code", s.name == "billing.cancel_purchase", s.name == "billing.expire_due":
		return "share"
	default:
		return ""
	}
}

// mustWait is who has to wait for whom, by the headers; everybody else must not.
func mustWait(first, second step, scene string) bool {
	a := headers()[first.function()]
	if (takesUsers.MatchString(a) || first.locksUser(scene)) && second.locksUser(scene) {
		return true
	}
	if first.function() == second.function() && strings.HasPrefix(a, "lease") {
		return true
	}
	return collide(first.admin(), second.admin()) || collide(first.uses(), second.uses())
}

func collide(a, b string) bool { return a != "" && b != "" && (a == "exclusive" || b == "exclusive") }
