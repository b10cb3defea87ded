package sqlapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
)

// Config says where the database is and how long to wait for it. Zero values take the defaults below.
type Config struct {
	URL              config.Secret
	PoolSize         int
	StatementTimeout time.Duration
	LockTimeout      time.Duration
	ApplicationName  string
	Logger           *slog.Logger
	Registerer       prometheus.Registerer
}

const (
	defaultPoolSize         = 20
	defaultStatementTimeout = 15 * time.Second
	defaultLockTimeout      = 5 * time.Second
	connectTimeout          = 5 * time.Second
	healthCheckPeriod       = 15 * time.Second
	maxConnIdleTime         = 5 * time.Minute
	maxConnLifetime         = time.Hour
	maxConnLifetimeJitter   = 10 * time.Minute
)

// DB holds a pool and the functions, grouped by schema.
type DB struct {
	Account      Account
	Wallet       Wallet
	Billing      Billing
	Subscription Subscription
	VPN          VPN
	Notify       Notify
	Broadcast    Broadcast
	Inbox        Inbox
	Audit        Audit
	Ops          Ops
	Promo        Promo
	Referral     Referral
	Withdrawal   Withdrawal

	pool             *pgxpool.Pool
	statementTimeout time.Duration
	lockTimeout      time.Duration
	log              *slog.Logger
	metrics          *metrics
}

// Open makes a pool. It does not connect yet, so that a process can start before its database: see Await.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	poolConfig, err := pgxpool.ParseConfig(cfg.URL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("database address: %s", obs.Redact(err.Error()))
	}
	poolConfig.MaxConns = int32(orDefault(cfg.PoolSize, defaultPoolSize)) //nolint:gosec // config limits it to 1000
	poolConfig.MaxConnIdleTime = maxConnIdleTime
	poolConfig.MaxConnLifetime = maxConnLifetime
	poolConfig.MaxConnLifetimeJitter = maxConnLifetimeJitter
	poolConfig.HealthCheckPeriod = healthCheckPeriod
	poolConfig.ConnConfig.ConnectTimeout = connectTimeout
	// Unnamed statements described once per connection: no server-side state outlives a transaction.
	poolConfig.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	poolConfig.ConnConfig.RuntimeParams["application_name"] = orDefault(cfg.ApplicationName, "atlas-secure")
	poolConfig.ConnConfig.OnNotice = noticeWait
	poolConfig.AfterConnect = readTimesInUTC

	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return nil, fmt.Errorf("database pool: %s", obs.Redact(err.Error()))
	}
	db := &DB{
		pool:             pool,
		statementTimeout: orDefault(cfg.StatementTimeout, defaultStatementTimeout),
		lockTimeout:      orDefault(cfg.LockTimeout, defaultLockTimeout),
		log:              orDefault(cfg.Logger, obs.Discard()),
	}
	if db.metrics, err = newMetrics(cfg.Registerer, pool); err != nil {
		pool.Close()
		return nil, err
	}
	db.Account, db.Wallet, db.Billing = Account{db}, Wallet{db}, Billing{db}
	db.Subscription, db.VPN, db.Notify, db.Broadcast = Subscription{db}, VPN{db}, Notify{db}, Broadcast{db}
	db.Inbox, db.Audit, db.Ops = Inbox{db}, Audit{db}, Ops{db}
	db.Promo, db.Referral, db.Withdrawal = Promo{db}, Referral{db}, Withdrawal{db}
	return db, nil
}

// Close waits for connections in use and closes all.
func (db *DB) Close() { db.pool.Close() }

// Ping asks whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.pool.Ping(ctx); err != nil {
		return translate("ping", err)
	}
	return nil
}

const (
	awaitFirst = 200 * time.Millisecond
	awaitLast  = 5 * time.Second
)

// Await waits until the database answers and has what this release calls, however long it takes: a process may start
// before its database, and before the migrations. It says what it waits for once, not at each try.
func (db *DB) Await(ctx context.Context) error {
	outage := obs.NewOutage(db.log, "await")
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = awaitFirst, awaitLast
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := db.CheckSchema(ctx)
		switch {
		case err == nil:
			outage.Over(ctx)
		case ctx.Err() != nil: // told to stop
		case errors.Is(err, ErrMissingFunctions):
			outage.Failed(ctx, "waiting for the migrations", err)
		default:
			outage.Failed(ctx, "waiting for the database", err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(0))
	if err != nil {
		return fmt.Errorf("waiting for the database: %w", err)
	}
	return nil
}

// readTimesInUTC makes times come back in UTC, whatever the machine's zone is. It asks the server nothing.
func readTimesInUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// prologueSQL runs in the transaction of the call that follows it and is forgotten with it.
const prologueSQL = `select set_config('atlas.correlation_id', $1, true), set_config('statement_timeout', $2, true),
  set_config('lock_timeout', $3, true)`

// send runs the prologue and the call in one round trip and one implicit transaction. collect sees the rows; the answer
// counts only when Close has reported the commit. A call that only reads goes without the prologue, which costs as much as the
// call: its time is bounded by the context, and by the login's own limits.
func (db *DB) send(ctx context.Context, c *call, args pgx.StrictNamedArgs, collect func(pgx.Rows) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.statementTimeout+connectTimeout)
	defer cancel()
	if c.isRead {
		rows, err := db.pool.Query(ctx, c.sql, args)
		if err != nil {
			return err //nolint:wrapcheck // translated in do
		}
		return collect(rows)
	}
	batch := &pgx.Batch{}
	batch.Queue(prologueSQL, obs.CorrelationID(ctx), milliseconds(db.statementTimeout), milliseconds(db.lockTimeout))
	batch.Queue(c.sql, args)
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err //nolint:wrapcheck // translated in do
	}
	defer conn.Release()
	results := conn.SendBatch(ctx, batch)
	_, err = results.Exec()
	if err == nil {
		var rows pgx.Rows
		if rows, err = results.Query(); err == nil {
			err = collect(rows)
		}
	}
	if closed := results.Close(); err == nil || isServerError(closed) && !isServerError(err) {
		err = closed
	}
	if takeNotReplicated(conn.Conn().PgConn()) && err == nil {
		return errNotReplicated
	}
	return err
}

func isServerError(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr)
}
