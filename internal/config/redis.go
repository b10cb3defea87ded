package config

import (
	"net/url"
	"regexp"
	"strings"
	"time"
)

// The kinds of installation, after a plus in the scheme of REDIS_URL; none is a single server.
const (
	RedisSentinel = "sentinel"
	RedisCluster  = "cluster"
)

// RedisURLForms is what REDIS_URL may look like.
const RedisURLForms = "must be redis://user:password@host:6379/0, or redis+sentinel://host:26379/0?master_name=name&addr=host2:26379" +
	" (username= and password= are the server's), or redis+cluster://user:password@host:6379?addr=host2:6379;" +
	" rediss for TLS"

const (
	minPatience = 10 * time.Millisecond
	maxPatience = time.Minute
	maxFailures = 1000
	maxRest     = 10 * time.Minute
)

// Braces would be the part of a key that says which server of a cluster has it.
var keyPrefixForm = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,64}$`)

func (c *Config) checkRedis(add func(string, string, ...any)) {
	if c.RedisURL.IsSet() && !isRedisURL(c.RedisURL.Reveal()) {
		add("REDIS_URL", "%s", RedisURLForms)
	}
	if !keyPrefixForm.MatchString(c.RedisKeyPrefix) {
		add("REDIS_KEY_PREFIX", "is %q: must be 1 to 64 of A-Z a-z 0-9 : . _ -", c.RedisKeyPrefix)
	}
	if c.RedisPoolSize < 1 || c.RedisPoolSize > maxPoolSize {
		add("REDIS_POOL_SIZE", "is %d: must be 1 to %d", c.RedisPoolSize, maxPoolSize)
	}
	if c.RedisPatience < minPatience || c.RedisPatience > maxPatience {
		add("REDIS_PATIENCE", "is %s: must be %s to %s", c.RedisPatience, minPatience, maxPatience)
	}
	if c.RedisTimeout < c.RedisPatience || c.RedisTimeout > maxPatience {
		add("REDIS_TIMEOUT", "is %s: must be at least the patience, and at most %s", c.RedisTimeout, maxPatience)
	}
	if c.BreakerFailures < 1 || c.BreakerFailures > maxFailures {
		add("BREAKER_FAILURES", "is %d: must be 1 to %d", c.BreakerFailures, maxFailures)
	}
	for variable, rest := range map[string]time.Duration{"REDIS_REST": c.RedisRest, "VPN_NODE_REST": c.VPNNodeRest} {
		if rest < minPatience || rest > maxRest {
			add(variable, "is %s: must be %s to %s", rest, minPatience, maxRest)
		}
	}
}

func isRedisURL(text string) bool {
	address, err := url.Parse(text)
	if err != nil || address.Host == "" {
		return false
	}
	scheme, kind, hasKind := strings.Cut(address.Scheme, "+")
	if scheme != "redis" && scheme != "rediss" {
		return false
	}
	switch kind {
	case RedisSentinel:
		return address.Query().Get("master_name") != ""
	case RedisCluster:
		return true
	default:
		return !hasKind
	}
}
