package harness

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	sandboxredis "atlas-secure/internal/sandbox/redis"
)

const (
	redisLease = 15 * time.Minute
	redisPoll  = 50 * time.Millisecond
)

// RedisBundle is a numbered Redis database that one test has to itself.
type RedisBundle struct {
	URL    string
	Client *redis.Client

	// Server can be killed, frozen and started again; only a bundle of PrivateRedis has one.
	Server *sandboxredis.Server
}

// PrivateRedis is a Redis that one test has to itself and may kill or freeze, made of programs on this machine.
func PrivateRedis(t testing.TB) *RedisBundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	server, err := sandboxredis.Start(ctx, sandboxredis.Options{})
	if err != nil {
		t.Fatalf("harness: a private Redis: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Errorf("harness: stop the private Redis: %v", err)
		}
	})
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	return &RedisBundle{URL: server.URL(0), Client: client, Server: server}
}

// Redis takes a free numbered database for a test and empties it. Database 0 keeps who has which.
func Redis(t testing.TB) *RedisBundle {
	t.Helper()
	s := sharedRedis(t)
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	register := redis.NewClient(&s.options)
	t.Cleanup(func() { _ = register.Close() })
	number, err := s.take(ctx, register, t.Name())
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
		defer cancel()
		if err := register.Del(ctx, registerKey(number)).Err(); err != nil {
			t.Errorf("harness: give the Redis database back: %v", err)
		}
	})
	options := s.options
	options.DB = number
	client := redis.NewClient(&options)
	t.Cleanup(func() { _ = client.Close() })
	if err := client.FlushDB(ctx).Err(); err != nil {
		t.Fatalf("harness: empty Redis database %d: %v", number, err)
	}
	return &RedisBundle{URL: redisURL(options), Client: client}
}

func (s *redisServer) take(ctx context.Context, register *redis.Client, holder string) (int, error) {
	ticker := time.NewTicker(redisPoll)
	defer ticker.Stop()
	for {
		for number := 1; number < s.databases; number++ {
			isMine, err := register.SetNX(ctx, registerKey(number), holder, redisLease).Result()
			if err != nil {
				return 0, fmt.Errorf("take a Redis database: %w", err)
			}
			if isMine {
				return number, nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("all %d Redis databases are taken: %w", s.databases-1, ctx.Err())
		case <-ticker.C:
		}
	}
}

func registerKey(number int) string { return fmt.Sprintf("atlas-test:database:%d", number) }

func redisURL(o redis.Options) string {
	credentials := ""
	if o.Password != "" {
		credentials = o.Username + ":" + o.Password + "@"
	}
	return fmt.Sprintf("redis://%s%s/%d", credentials, o.Addr, o.DB)
}
