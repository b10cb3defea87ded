package main

import (
	"context"
	"fmt"
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
		one := b.load("pay.sql", way.clients, nil)
		many := b.load("statements.sql", way.clients, nil)
		many.Role = rig.OwnerLogin
		one.IsFar, many.IsFar = way.isFar, way.isFar
		g.subjects = append(g.subjects,
			b.paying(call, "one call, "+way.title, way.clients, way.users, one),
			b.paying(separate, "statements, "+way.title, way.clients, way.users, many))
		g.ratios = append(g.ratios, result.Ratio{Key: way.key, Title: "call / statements, " + way.title,
			Of: call, To: separate, Target: way.target})
	}
	g.setup = func(ctx context.Context) error {
		proxy, err := b.server.Far(ctx, roundTrip)
		if err != nil {
			return err
		}
		b.keep = append(b.keep, proxy.Close)
		b.server.Proxy = proxy
		b.note("Case 2: a proxy (Toxiproxy) in this process holds what clients send for %s and passes answers on at once: "+
			"a query without work takes %.2f ms through it.", roundTrip, float64(proxy.RoundTrip.Microseconds())/1000)
		return nil
	}
	return g
}

func (b *bench) note(format string, args ...any) {
	b.result.Notes = append(b.result.Notes, fmt.Sprintf(format, args...))
}
