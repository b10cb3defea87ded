package redisdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/obs"
)

const (
	// MinimumVersion has users with access lists, and scripts that may read the clock before they write.
	MinimumVersion = "6.0"
	// wantedPolicy: a full Redis that evicted keys would forget limits and dialogues in silence.
	wantedPolicy = "noeviction"

	inspectTime = 5 * time.Second
	retryEvery  = 2 * time.Second
)

// UnfitError says what is wrong with a Redis that answers, and what to do.
type UnfitError struct{ Problems []string }

func (e *UnfitError) Error() string { return "redis: " + strings.Join(e.Problems, "; ") }

// Inspect asks every server that holds keys for its version and what it does when it is full. An *UnfitError means that
// they answered, and are not what is needed.
func Inspect(ctx context.Context, client redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	if cluster, isCluster := client.(*redis.ClusterClient); isCluster {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { //nolint:wrapcheck // ours
			return inspect(ctx, master)
		})
	}
	return inspect(ctx, client)
}

func inspect(ctx context.Context, client redis.UniversalClient) error {
	if err := client.Ping(ctx).Err(); err != nil {
		if redis.HasErrorPrefix(err, "WRONGPASS") || redis.HasErrorPrefix(err, "NOAUTH") {
			return &UnfitError{Problems: []string{"it refuses the user and password of the address"}}
		}
		return fmt.Errorf("redis does not answer: %w", err)
	}
	server, err := info(ctx, client, "server")
	if err != nil {
		return err
	}
	memory, err := info(ctx, client, "memory")
	if err != nil {
		return err
	}
	policy := memory["maxmemory_policy"]
	if policy == "" { // INFO is kept from this user, or a proxy shortens it
		if answer, err := client.ConfigGet(ctx, "maxmemory-policy").Result(); err == nil {
			policy = answer["maxmemory-policy"]
		}
	}
	var problems []string
	switch version := server["redis_version"]; {
	case version == "":
		problems = append(problems, "its version is unknown (allow the user to run INFO)")
	case isOlder(version, MinimumVersion):
		problems = append(problems, fmt.Sprintf("version %s is too old: install %s or newer", version, MinimumVersion))
	}
	switch policy {
	case wantedPolicy:
	case "":
		problems = append(problems, "its maxmemory-policy is unknown (allow the user to run INFO)")
	default:
		problems = append(problems, fmt.Sprintf("maxmemory-policy is %s: set it to %s, or a full Redis forgets in silence",
			policy, wantedPolicy))
	}
	if len(problems) > 0 {
		return &UnfitError{Problems: problems}
	}
	return nil
}

// info reads a section of INFO; a server that refuses it has told nothing.
func info(ctx context.Context, client redis.UniversalClient, section string) (map[string]string, error) {
	text, err := client.Info(ctx, section).Result()
	var refused redis.Error
	if err != nil && !errors.As(err, &refused) {
		return nil, fmt.Errorf("redis does not answer: %w", err)
	}
	values := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok {
			values[name] = strings.TrimSpace(value)
		}
	}
	return values, nil
}

func isOlder(version, minimum string) bool {
	have, want := strings.Split(version, "."), strings.Split(minimum, ".")
	for i := range want {
		var h int
		if i < len(have) {
			h, _ = strconv.Atoi(have[i])
		}
		if w, _ := strconv.Atoi(want[i]); h != w {
			return h < w
		}
	}
	return false
}

// Admit inspects a Redis at the start of a process. A strict one (stage, prod) does not start with a Redis that answers and
// is unfit. One that does not answer holds nobody up: later inspects it once it does, and says what it found; a process
// that works is not ended for it.
func Admit(ctx context.Context, client redis.UniversalClient, isStrict bool, log *slog.Logger) (later func(context.Context), err error) {
	err = Inspect(ctx, client)
	var unfit *UnfitError
	switch {
	case err == nil:
	case !errors.As(err, &unfit):
		log.WarnContext(ctx, "redis does not answer: going on without it", obs.Operation("inspect_redis"), obs.Err(err))
		return func(ctx context.Context) { inspectLater(ctx, client, log) }, nil
	case isStrict:
		return nil, err
	default:
		log.WarnContext(ctx, "stage and prod would not start with this redis", obs.Operation("inspect_redis"), obs.Err(err))
	}
	return func(context.Context) {}, nil
}

func inspectLater(ctx context.Context, client redis.UniversalClient, log *slog.Logger) {
	ticker := time.NewTicker(retryEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := Inspect(ctx, client)
		var unfit *UnfitError
		switch {
		case err == nil:
			log.InfoContext(ctx, "redis answers", obs.Operation("inspect_redis"))
			return
		case errors.As(err, &unfit):
			log.ErrorContext(ctx, "redis answers, and is unfit: mend it before the next start", obs.Operation("inspect_redis"), obs.Err(err))
			return
		}
	}
}
