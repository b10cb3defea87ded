package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"atlas-secure/tests/bench/result"
	"atlas-secure/tests/bench/rig"
)

// What is aimed at against separate statements.
const (
	targetSocket    = 2.5
	targetFar       = 6
	targetOneWallet = 20
)

// roundTrip is what the network adds to each round trip.
const roundTrip = time.Millisecond

// statements is case 2: the purchase as one function call against the same work as ten statements from the client.
func (b *bench) statements() group {
	g := group{number: "2", title: "One function call against separate statements"}
	for _, way := range []struct {
		key, title     string
		clients, users int
		isFar          bool
		target         float64
	}{
		{"socket", "unix socket, 32 clients", b.many(), b.users, false, targetSocket},
		{"far", "1 ms round trip, 8 clients", 8, b.users, true, targetFar},
		{"far-one", "1 ms, 8 clients, one wallet", 8, 1, true, targetOneWallet},
	} {
		call, separate := way.key+"-call", way.key+"-statements"
		from := ""
		if way.isFar {
			from = "far_"
		}
		one := b.load(from+"pay.sql", way.clients, nil)
		many := b.load(from+"statements.sql", way.clients, nil)
		many.Role = rig.OwnerLogin
		g.subjects = append(g.subjects,
			b.paying(call, "one call, "+way.title, way.clients, way.users, one),
			b.paying(separate, "statements, "+way.title, way.clients, way.users, many))
		g.ratios = append(g.ratios, result.Ratio{Key: way.key, Title: "call / statements, " + way.title,
			Of: call, To: separate, Target: way.target})
	}
	g.setup = func(context.Context) error {
		b.note("Case 2: with 1 ms of network each client waits %s before it sends a statement, as it would for the answer "+
			"to the one before; what the server holds meanwhile stays held.", roundTrip)
		return errors.Join(b.moveAway("pay.sql"), b.moveAway("statements.sql"))
	}
	return g
}

// moveAway makes a script's client as far away as one round trip of the network takes: it waits before each statement. That
// costs no CPU, which a proxy on the same cores would.
func (b *bench) moveAway(script string) error {
	near, err := os.ReadFile(b.script(script))
	if err != nil {
		return fmt.Errorf("read a script: %w", err)
	}
	var far strings.Builder
	for line := range strings.Lines(string(near)) {
		if isStatement := !strings.HasPrefix(line, `\`) && !strings.HasPrefix(line, "--"); isStatement {
			fmt.Fprintf(&far, "\\sleep %d us\n", roundTrip.Microseconds())
		}
		far.WriteString(line)
	}
	if err := os.WriteFile(b.script("far_"+script), []byte(far.String()), 0o600); err != nil {
		return fmt.Errorf("write a script: %w", err)
	}
	return nil
}

func (b *bench) note(format string, args ...any) {
	b.result.Notes = append(b.result.Notes, fmt.Sprintf(format, args...))
}
