package harness

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"atlas-secure/internal/sandbox/postgres"
)

const clusterPoll = 10 * time.Millisecond

// Cluster is a primary with a streaming standby for one test. The bundle's own pools and DSNs go straight to the primary;
// after Promote, to the new one. Clients are to be given FollowingPool.
type Cluster struct {
	*Bundle

	// Primary and Standby as they began: Promote changes neither.
	Primary, Standby *postgres.Server
	// Clients stands between the clients and the old primary, Stream between the standby and the old primary.
	Clients *DatabaseProxy
	Stream  *Proxy

	standby *server
}

// NewCluster makes a primary and a standby of programs on this machine, both durable. Synchronous: the primary
// acknowledges a commit only when the standby has written it down.
func NewCluster(t testing.TB, isSynchronous bool) *Cluster {
	t.Helper()
	c := &Cluster{}
	t.Cleanup(func() { c.stopStandby(t) }) // last of all: it may have become the one whose books are looked at
	c.Bundle = NewPrivate(t)
	c.Primary = c.Server
	c.Clients = c.Proxy(t)
	c.Stream = NewProxy(t, net.JoinHostPort(c.server.host, strconv.Itoa(c.server.port)))
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	standby, err := localPostgres(ctx, postgres.Options{
		Durable: true, CopyOf: postgres.DSN("127.0.0.1", c.Stream.kept.Number, string(Superuser), c.Primary.Password(), "postgres"),
		Standby: true, Password: c.Primary.Password(),
	})
	if err != nil {
		t.Fatalf("harness: a standby: %v", err)
	}
	c.standby, c.Standby = standby, standby.local
	if err := c.awaitStandby(ctx, "async"); err != nil {
		t.Fatalf("harness: a standby: %v", err)
	}
	if !isSynchronous {
		return c
	}
	t.Cleanup(func() { // before the books are looked at: else cleaning up waits for a standby that may be gone
		if c.server != c.standby {
			if err := c.setSynchronous(context.Background(), ""); err != nil {
				t.Errorf("harness: %v", err)
			}
		}
	})
	if err := c.setSynchronous(ctx, "*"); err != nil {
		t.Fatalf("harness: %v", err)
	}
	if err := c.awaitStandby(ctx, "sync"); err != nil {
		t.Fatalf("harness: a standby: %v", err)
	}
	return c
}

func (c *Cluster) stopStandby(t testing.TB) {
	t.Helper()
	if c.Standby == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
	defer cancel()
	if err := c.Standby.Stop(ctx); err != nil {
		t.Errorf("harness: stop the standby: %v", err)
	}
}

func (c *Cluster) setSynchronous(ctx context.Context, names string) error {
	conn, err := pgx.Connect(ctx, c.Primary.SocketDSN(postgres.Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("set the synchronous standby: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, statement := range []string{
		"alter system set synchronous_standby_names = '" + names + "'", "select pg_reload_conf()",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("set the synchronous standby: %w", err)
		}
	}
	return nil
}

// awaitStandby waits until the standby streams, as the primary sees it.
func (c *Cluster) awaitStandby(ctx context.Context, state string) error {
	conn, err := pgx.Connect(ctx, c.Primary.SocketDSN(postgres.Superuser, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	ticker := time.NewTicker(clusterPoll)
	defer ticker.Stop()
	for {
		var isThere bool
		err := conn.QueryRow(ctx, `select exists (select from pg_stat_replication
			where state = 'streaming' and sync_state = $1)`, state).Scan(&isThere)
		if err != nil || isThere {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not follow: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// Partition cuts the primary off: from its clients and from its standby.
func (c *Cluster) Partition() {
	c.Stream.Down()
	c.Clients.Down()
}

// Promote makes the standby the primary. From now on the bundle's DSNs and pools, and what it does when the test ends,
// are about the new one.
func (c *Cluster) Promote(ctx context.Context, t testing.TB) {
	t.Helper()
	if err := c.Standby.Promote(ctx); err != nil {
		t.Fatalf("harness: %v", err)
	}
	c.server = c.standby
	c.openPools(t)
}

// FollowingPool is a pool whose new connections go to whichever of the two servers takes writes: as clients with both
// addresses do. It is closed when the test ends.
func (c *Cluster) FollowingPool(t testing.TB, role Role) *pgxpool.Pool {
	t.Helper()
	u, err := url.Parse(c.Clients.DSN(role))
	if err != nil {
		t.Fatal("harness: the address is no URL")
	}
	u.Host += "," + net.JoinHostPort(c.standby.host, strconv.Itoa(c.standby.port))
	query := u.Query()
	query.Set("target_session_attrs", "read-write")
	query.Set("connect_timeout", "2")
	u.RawQuery = query.Encode()
	return openPool(t, u.String(), role)
}
