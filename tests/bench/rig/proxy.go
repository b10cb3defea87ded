package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"atlas-secure/internal/sandbox/port"
	"atlas-secure/internal/sandbox/postgres"
)

// Proxy makes the way to the server longer, as a network does.
type Proxy struct {
	// Port on 127.0.0.1.
	Port int
	// RoundTrip is what an empty query takes through it, in the median.
	RoundTrip time.Duration

	kept  *port.Reservation
	proxy *toxiproxy.Proxy
}

const roundTrips = 200

// Far puts a proxy before the server that holds what clients send for a time, and passes the answers on at once: so much
// is added to each round trip, whatever the statement.
func (s *Server) Far(ctx context.Context, delay time.Duration) (*Proxy, error) {
	kept, err := port.Reserve(0)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	upstream := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(s.Control.Config().Port)))
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{Port: kept.Number, kept: kept, proxy: toxiproxy.NewProxy(api, "far", kept.Address(), upstream)}
	if err := p.proxy.Start(); err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	toxic, err := json.Marshal(map[string]any{
		"type": "latency", "stream": "upstream", "attributes": map[string]int64{"latency": delay.Milliseconds()},
	})
	if err == nil {
		_, err = p.proxy.Toxics.AddToxicJson(bytes.NewReader(toxic))
	}
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p.RoundTrip, err = p.ask(ctx, postgres.DSN("127.0.0.1", p.Port, BotLogin, s.Password(), Atlas))
	return p, err
}

func (p *Proxy) ask(ctx context.Context, dsn string) (time.Duration, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return 0, fmt.Errorf("connect through the proxy: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	took := make([]time.Duration, roundTrips)
	for i := range took {
		started := time.Now()
		if err := conn.Ping(ctx); err != nil {
			return 0, fmt.Errorf("ask through the proxy: %w", err)
		}
		took[i] = time.Since(started)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() error {
	p.proxy.Stop()
	return p.kept.Close() //nolint:wrapcheck // says all by itself
}
