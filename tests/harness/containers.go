package harness

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	tcpostgres "github.com/testcontainers/testcontainers-go/modules/postgres"
	tcredis "github.com/testcontainers/testcontainers-go/modules/redis"

	"atlas-secure/internal/sandbox/postgres"
)

// Images, in the order they are looked for; the first of each is what `make images` makes.
var (
	postgresImages = []string{postgres.LocalImage, postgres.OfficialImage}
	redisImages    = []string{"atlas-secure/redis:7", "redis:7-bookworm"}
)

const adminPassword = "only-for-tests" // of a container on 127.0.0.1 that lives for one test run

// containerPostgres starts a server in a container, or says why it cannot.
func containerPostgres(ctx context.Context) (*server, error) {
	image, onLoopback, err := prepareContainers(ctx, postgresImages)
	if err != nil {
		return nil, err
	}
	command := []string{"postgres", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"}
	for name, value := range testSettings() {
		command = append(command, "-c", name+"="+value)
	}
	c, err := tcpostgres.Run(ctx, image, tcpostgres.WithUsername(postgres.Superuser),
		tcpostgres.WithPassword(adminPassword), tcpostgres.WithDatabase("postgres"),
		testcontainers.WithCmd(command...),
		// A database is copied for every test: memory is quicker at that than a container's layers.
		testcontainers.WithTmpfs(map[string]string{"/var/lib/postgresql/data": "rw"}),
		publish("5432/tcp", onLoopback), ofThisRun(), tcpostgres.BasicWaitStrategies())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", image, err), testcontainers.TerminateContainer(c))
	}
	stop := func(context.Context) error { return testcontainers.TerminateContainer(c) }
	dsn, err := c.ConnectionString(ctx, "sslmode=disable")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("address of %s: %w", image, err), stop(ctx))
	}
	return newServer(dsn, "container of "+image, stop)
}

func containerRedis(ctx context.Context) (*redisServer, error) {
	image, onLoopback, err := prepareContainers(ctx, redisImages)
	if err != nil {
		return nil, err
	}
	c, err := tcredis.Run(ctx, image, publish("6379/tcp", onLoopback), ofThisRun())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", image, err), testcontainers.TerminateContainer(c))
	}
	stop := func(context.Context) error { return testcontainers.TerminateContainer(c) }
	url, err := c.ConnectionString(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("address of %s: %w", image, err), stop(ctx))
	}
	return newRedisServer(url, "container of "+image, 16, stop)
}

// ofThisRun labels containers with ATLAS_TEST_RUN, so that whoever set it can see afterwards that none is left.
func ofThisRun() testcontainers.CustomizeRequestOption {
	return testcontainers.WithLabels(map[string]string{"atlas-test-run": os.Getenv("ATLAS_TEST_RUN")})
}

// publish keeps a container's port from other machines when the engine is on this one.
func publish(port string, onLoopback bool) testcontainers.CustomizeRequestOption {
	return testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
		if onLoopback {
			host.PortBindings = network.PortMap{
				network.MustParsePort(port): {{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}},
			}
		}
	})
}
