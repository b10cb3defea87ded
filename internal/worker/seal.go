package worker

import (
	"context"
	"fmt"
	"log/slog"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// Sealer is what the sealing job needs of schema audit.
type Sealer interface {
	Seal(ctx context.Context, limit int) (sqlapi.Seal, error)
}

// Seal adds what has settled to the hash chain over ledger and audit rows, and logs its head: a copy of the log outside
// the database can prove that the database was rewritten (audit.verify_against).
func Seal(audit Sealer, log *slog.Logger) Job {
	return func(ctx context.Context, batch Batch) (int, error) {
		seal, err := audit.Seal(ctx, batch.Limit)
		if err != nil {
			return 0, fmt.Errorf("sealing: %w", err)
		}
		if seal.Sealed > 0 {
			log.InfoContext(ctx, "AUDIT_SEALED", obs.Operation("audit.seal"), obs.Outcome(obs.OutcomeOK),
				slog.Int("sealed", seal.Sealed), slog.Int64("sealed_rows", seal.SealedRows), slog.String("head", seal.Head))
		}
		return seal.Sealed, nil
	}
}
