package redisdb

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/obs"
)

// LogTo has the library write to a log what it would write to the process's error output. Each failure to connect is among
// it: what an outage means is said by those who asked.
func LogTo(log *slog.Logger) { redis.SetLogger(libraryLog{log}) }

type libraryLog struct{ log *slog.Logger }

// Printf implements the library's logger.
func (l libraryLog) Printf(ctx context.Context, format string, values ...any) {
	l.log.DebugContext(ctx, "the redis library says", obs.Operation("redis"), slog.String("text", fmt.Sprintf(format, values...)))
}
