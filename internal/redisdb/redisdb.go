// Package redisdb opens Redis for what may be forgotten: dialogues and limits. Nothing about money is in it, so that a
// process starts and works without it.
package redisdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/config"
)

// Options says where Redis is. Zero values take the defaults.
type Options struct {
	// URL is an address that config.RedisURLProblem has nothing against.
	URL      config.Secret
	PoolSize int
	// Timeout bounds connecting, reading and writing; those who ask have shorter limits of their own (see Patience).
	Timeout time.Duration
}

const (
	defaultTimeout  = 2 * time.Second
	defaultPoolSize = 20
	// clusterReload is how long a cluster's server that died may be asked still: one that refuses connections does not say
	// who has taken over.
	clusterReload = 2 * time.Second
)

// Open makes a client. It does not connect yet.
func Open(o Options) (redis.UniversalClient, error) {
	if o.PoolSize <= 0 {
		o.PoolSize = defaultPoolSize
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	client, err := open(o)
	if err != nil {
		// The library's error quotes the address, and with it the password.
		return nil, errors.New("redis address: " + config.RedisURLForms)
	}
	return client, nil
}

// open reads the address: the part of the scheme after a plus says what kind of installation it is, the rest is the
// library's own form. Nobody retries: who asks has a breaker, and a way to do without.
func open(o Options) (redis.UniversalClient, error) {
	address := o.URL.Reveal()
	scheme, rest, _ := strings.Cut(address, "://")
	scheme, kind, _ := strings.Cut(scheme, "+")
	plain := scheme + "://" + rest
	switch kind {
	case config.RedisSentinel:
		options, err := redis.ParseFailoverURL(plain)
		if err != nil {
			return nil, err //nolint:wrapcheck // not shown
		}
		options.DialTimeout, options.ReadTimeout, options.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
		options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries = true, -1, 1
		options.PoolSize = o.PoolSize
		return redis.NewFailoverClient(options), nil
	case config.RedisCluster:
		options, err := redis.ParseClusterURL(plain)
		if err != nil {
			return nil, err //nolint:wrapcheck // not shown
		}
		options.DialTimeout, options.ReadTimeout, options.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
		options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries = true, -1, 1
		options.PoolSize = o.PoolSize
		options.ClusterStateReloadInterval = clusterReload
		return redis.NewClusterClient(options), nil
	default:
		options, err := redis.ParseURL(plain)
		if err != nil {
			return nil, err //nolint:wrapcheck // not shown
		}
		options.DialTimeout, options.ReadTimeout, options.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
		options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries = true, -1, 1
		options.PoolSize = o.PoolSize
		return redis.NewClient(options), nil
	}
}

// Ping asks whether Redis answers.
func Ping(client redis.UniversalClient) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := client.Ping(ctx).Err(); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		return nil
	}
}
