package fault_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

// often is how often the crowd's progress is looked at.
const often = 2 * time.Millisecond

// sqlapi is a client as the bot and the worker have one, with a pool of so many connections.
func (b *bundle) sqlapi(dsn string, size int) *sqlapi.DB {
	b.Helper()
	db, err := sqlapi.Open(b.Context(), sqlapi.Config{
		URL: config.NewSecret(dsn), PoolSize: size, StatementTimeout: time.Minute, LockTimeout: time.Minute})
	require.NoError(b, err)
	b.Cleanup(db.Close)
	return db
}

// patientCrowd is a crowd whose purchases do not expire while a server is away. It leaves out what is mostly declined, of
// which a short run may do nothing.
func (b *bundle) patientCrowd(bots, workers history.Conn, clients, operations int) *load.Crowd {
	b.Helper()
	weights := load.DefaultWeights()
	for _, name := range []string{"cancel", "trial", "decide"} {
		delete(weights, name)
	}
	return load.Open(b, load.Options{Bot: bots, Worker: workers, DBA: b.DBA, Seed: b.seed, Clients: clients, Users: 24,
		Operations: operations * load.Factor(b), Weights: weights, LifetimeSeconds: 60})
}
