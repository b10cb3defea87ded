package sqlapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/wait"
)

// translate turns the driver's error into the domain's. A SQLSTATE of the contract becomes *atlas.Error; an error of the
// server beyond it keeps its code and message; a connection that breaks or a deadline means that the database did not
// answer.
func translate(function string, err error) error {
	if err == nil {
		return nil
	}
	var pgErr *pgconn.PgError
	switch {
	case errors.As(err, &pgErr) && atlas.IsRefusal(pgErr.Code):
		return fmt.Errorf("%s: %w", function, &atlas.Error{
			Code: pgErr.Code, Message: pgErr.Message, Detail: pgErr.Detail, Hint: pgErr.Hint,
		})
	case errors.As(err, &pgErr) && !isOutage(pgErr.Code):
		return fmt.Errorf("%s: SQLSTATE %s: %s", function, pgErr.Code, obs.Redact(pgErr.Message))
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w: %w", function, atlas.ErrUnavailable, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w: %w", function, atlas.ErrUnavailable, context.DeadlineExceeded)
	case pgErr != nil, isConnectionError(err), pgconn.SafeToRetry(err), errors.Is(err, errNotReplicated):
		return fmt.Errorf("%s: %w: %s", function, atlas.ErrUnavailable, obs.Redact(err.Error()))
	default: // of the driver: an answer that does not fit, an argument that is missing
		return fmt.Errorf("%s: %s", function, obs.Redact(err.Error()))
	}
}

// isOutage says whether the SQLSTATE tells of a server that is going away, coming up, full, or that gave up waiting:
// classes 08 (connection), 53 (resources), 57 (operator's intervention) and 25006 (a standby).
func isOutage(code string) bool {
	switch {
	case len(code) != 5:
		return false
	case code[:2] == "08", code[:2] == "53", code[:2] == "57", code == "25006":
		return true
	default:
		return false
	}
}

// auditedCode gives the SQLSTATE if it is one of those that audit.refused wants to hear of.
func auditedCode(err error) string {
	for _, refusal := range []*atlas.Error{
		atlas.ErrUserIsBlocked, atlas.ErrNotAnAdmin, atlas.ErrNoSuchPurchase, atlas.ErrNoSuchWithdrawal,
		atlas.ErrOwnWithdrawal, atlas.ErrNoSuchRequest,
	} {
		if errors.Is(err, refusal) {
			return refusal.Code
		}
	}
	return ""
}

const (
	maxAttempts = 5
	firstPause  = 20 * time.Millisecond
)

// retry runs the attempt again, with the same arguments, while that can help and the context allows.
func (db *DB) retry(ctx context.Context, c *call, attempt func() error) error {
	for tried := 1; ; tried++ {
		err := attempt()
		if err == nil || tried == maxAttempts || !isWorthRetrying(c, err) || ctx.Err() != nil {
			return err
		}
		db.metrics.retried(c.function)
		db.log.DebugContext(ctx, "trying again", obs.Operation(c.function), obs.Outcome(obs.OutcomeRetried), obs.Err(err))
		if wait.For(ctx, wait.Jittered(firstPause<<(tried-1))) != nil {
			return err
		}
	}
}

// isWorthRetrying allows what certainly changed nothing (serialization, deadlock, lock timeout, nothing sent), and lost
// answers where a repeat is a replay. A statement that ran into its time limit would run into it again.
func isWorthRetrying(c *call, err error) bool {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		switch pgErr.Code {
		case "40001", "40P01", "55P03":
			return true
		case "57014": // query_canceled
			return false
		default:
			return isOutage(pgErr.Code) && !c.isClaim
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	return pgconn.SafeToRetry(err) || (isConnectionError(err) || errors.Is(err, errNotReplicated)) && !c.isClaim
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
