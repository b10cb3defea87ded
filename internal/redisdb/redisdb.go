// Package redisdb opens Redis for what may be forgotten: dialogues and limits. Nothing about money is in it, so that a
// process starts and works without it.
package redisdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/config"
)

const (
	dialTimeout = 2 * time.Second
	// ioTimeout is the outer bound; those who ask have shorter ones of their own.
	ioTimeout = 2 * time.Second
	poolSize  = 20
)

// Open makes a client of the Redis at a redis:// or rediss:// address. It does not connect yet.
func Open(address config.Secret) (redis.UniversalClient, error) {
	options, err := redis.ParseURL(address.Reveal())
	if err != nil {
		// The library's error quotes the address, and with it the password.
		return nil, errors.New("redis address: must be redis://[user:password@]host:port/number, or rediss://")
	}
	options.DialTimeout = dialTimeout
	options.ReadTimeout, options.WriteTimeout = ioTimeout, ioTimeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // who asks has a breaker, and a way to do without
	options.PoolSize = poolSize
	return redis.NewClient(options), nil
}

// Prefix is what the keys of an environment begin with, so that several can share one Redis.
func Prefix(environment config.Environment) string { return "atlas:" + string(environment) + ":" }

// Ping asks whether Redis answers.
func Ping(client redis.UniversalClient) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := client.Ping(ctx).Err(); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		return nil
	}
}
