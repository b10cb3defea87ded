package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"atlas-secure/internal/sandbox/port"
	"atlas-secure/internal/sandbox/postgres"
)

// Way is the direction of bytes through a proxy.
type Way string

const (
	// ToServer are the bytes that clients send.
	ToServer Way = "upstream"
	// ToClient are the server's answers.
	ToClient Way = "downstream"
)

// Proxy is a TCP proxy in this process (Toxiproxy) before one server. It passes everything on until it is told to spoil
// connections: those that are open and those to come. Several faults at once add up; Heal takes them all away.
type Proxy struct {
	t     testing.TB
	kept  *port.Reservation
	proxy *toxiproxy.Proxy
}

// NewProxy starts a proxy on a port of 127.0.0.1 before the server at an address (host and port). It ends with the test.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	kept, err := port.Reserve(0) // it comes back at the same port after Down
	if err != nil {
		t.Fatalf("harness: proxy: %v", err)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{t: t, kept: kept, proxy: toxiproxy.NewProxy(server, t.Name(), kept.Address(), upstream)}
	t.Cleanup(func() {
		p.Down()
		p.check("give the port back", kept.Close())
	})
	p.Up()
	return p
}

// Address is host and port of the proxy.
func (p *Proxy) Address() string { return p.kept.Address() }

// Down refuses new connections and cuts those that are open.
func (p *Proxy) Down() { p.proxy.Stop() }

// Up accepts connections again, at the same address.
func (p *Proxy) Up() {
	p.t.Helper()
	p.check("start", p.proxy.Start())
}

// Latency holds every piece of data back for a time, give or take the jitter.
func (p *Proxy) Latency(way Way, delay, jitter time.Duration) {
	p.t.Helper()
	p.add("latency", way, map[string]int64{"latency": delay.Milliseconds(), "jitter": jitter.Milliseconds()})
}

// Timeout loses all data and closes connections after a time without any; 0 keeps them open for ever, as a partition does.
// Heal closes them.
func (p *Proxy) Timeout(way Way, after time.Duration) {
	p.t.Helper()
	p.add("timeout", way, map[string]int64{"timeout": after.Milliseconds()})
}

// ResetPeer ends a connection a time after its next piece of data, which is lost. Connections that are opened from now on
// end by RST, those that are open already by FIN.
func (p *Proxy) ResetPeer(way Way, after time.Duration) {
	p.t.Helper()
	p.add("reset_peer", way, map[string]int64{"timeout": after.Milliseconds()})
}

// LimitData closes a connection when so many bytes have gone through it from now on.
func (p *Proxy) LimitData(way Way, limit int64) {
	p.t.Helper()
	p.add("limit_data", way, map[string]int64{"bytes": limit})
}

// Heal takes all faults away. Connections that a fault has ended stay ended.
func (p *Proxy) Heal() { p.proxy.Toxics.ResetToxics(context.Background()) }

func (p *Proxy) add(kind string, way Way, attributes map[string]int64) {
	p.t.Helper()
	toxic, err := json.Marshal(map[string]any{"type": kind, "stream": way, "attributes": attributes})
	if err == nil {
		_, err = p.proxy.Toxics.AddToxicJson(bytes.NewReader(toxic))
	}
	p.check(kind, err)
}

// check may be called by any goroutine of the test, so that it does not end it.
func (p *Proxy) check(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Errorf("harness: proxy: %s: %v", what, err)
	}
}

// DatabaseProxy is a proxy before the server of a test's database.
type DatabaseProxy struct {
	*Proxy

	server   *server
	database string
}

// Proxy puts a proxy before the database's server. Only who uses its DSN or pools goes through it.
func (b *Bundle) Proxy(t testing.TB) *DatabaseProxy {
	t.Helper()
	if strings.HasPrefix(b.server.host, "/") {
		t.Fatalf("harness: proxy: the server of ATLAS_TEST_DATABASE_URL is named by a socket, and a proxy needs its TCP address")
	}
	upstream := net.JoinHostPort(b.server.host, strconv.Itoa(b.server.port))
	return &DatabaseProxy{Proxy: NewProxy(t, upstream), server: b.server, database: b.Database}
}

// DSN is the connection URL of a login role through the proxy.
func (p *DatabaseProxy) DSN(role Role) string {
	return postgres.DSN("127.0.0.1", p.kept.Number, string(role), p.server.passwordOf(role), p.database)
}

// Pool is Bundle.Pool through the proxy.
func (p *DatabaseProxy) Pool(t testing.TB, role Role) *pgxpool.Pool {
	t.Helper()
	return openPool(t, p.DSN(role), role)
}

// RedisProxy is a proxy before the Redis of a test.
type RedisProxy struct {
	*Proxy

	URL    string
	Client *redis.Client
}

// Proxy puts a proxy before the Redis. Only who uses its URL or client goes through it.
func (r *RedisBundle) Proxy(t testing.TB) *RedisProxy {
	t.Helper()
	options := *r.Client.Options()
	through := redis.Options{Username: options.Username, Password: options.Password, DB: options.DB}
	p := &RedisProxy{Proxy: NewProxy(t, options.Addr)}
	through.Addr = p.Address()
	p.URL = redisURL(through)
	p.Client = redis.NewClient(&through)
	t.Cleanup(func() { _ = p.Client.Close() })
	return p
}
