package sqlapi

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// errNotReplicated is a commit that the synchronous standby may not have: somebody cancelled the wait for it. Postgres
// reports success and a mere warning then, and a failover would lose what was acknowledged. So it is no answer: asked
// again, the call is a replay, whose own commit waits until the standby has both.
var errNotReplicated = errors.New("committed, but perhaps not on the synchronous standby")

const (
	// waitRoutine is the routine of the server that gives the warning; its text may be in any language.
	waitRoutine = "SyncRepWaitForLSN"
	// notReplicated marks a connection whose last commit it was.
	notReplicated = "atlas: not replicated"
)

func noticeWait(conn *pgconn.PgConn, notice *pgconn.Notice) {
	if notice.Routine == waitRoutine {
		conn.CustomData()[notReplicated] = true
	}
}

// takeNotReplicated says whether the warning came since it was asked last.
func takeNotReplicated(conn *pgconn.PgConn) bool {
	_, isMarked := conn.CustomData()[notReplicated]
	delete(conn.CustomData(), notReplicated)
	return isMarked
}
