package config

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/check_config.golden instead of comparing with it")

// TestCheckConfig: every variable is shown, and no secret.
func TestCheckConfig(t *testing.T) {
	t.Parallel()
	const golden = "testdata/check_config.golden"
	cfg, err := Parse(Bot, prodEnviron("PROD_STATE_DIR=/var/lib/atlas-secure", "PROD_BOT_WEBHOOK_URL=https://bot.example/hook",
		"PROD_BOT_WEBHOOK_SECRET=canary", "PROD_CARD_PROVIDER_TOKEN=canary", "PROD_SUPPORT_CONTACT=@atlas_support",
		"PROD_REDIS_URL=rediss+sentinel://watcher:canary@one.example:26379/1?master_name=atlas&addr=two.example:26379&username=bot&password=canary"))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, cfg.Describe(&out))
	require.NotContains(t, out.String(), "canary")
	if *update {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String(), "if this is right: go test ./internal/config -run CheckConfig -update")
}

func TestRedisAddresses(t *testing.T) {
	t.Parallel()
	for address, isRight := range map[string]bool{
		"redis://127.0.0.1:6379/0": true, "rediss://user:canary@redis.example:6379/3": true,
		"redis+sentinel://one:26379/0?master_name=atlas&addr=two:26379":                     true,
		"rediss+sentinel://s:canary@one:26379?master_name=atlas&username=u&password=canary": true,
		"redis+cluster://user:canary@one:6379?addr=two:6379":                                true,
		"redis+sentinel://one:26379/0":                                                      false, "redis+ring://one:6379": false, "redis+://one:6379": false,
		"http://redis.example": false, "redis.example:6379": false, "redis://": false, "canary": false,
	} {
		_, err := Parse(Bot, prodEnviron("PROD_REDIS_URL="+address))
		if isRight {
			require.NoError(t, err, address)
			continue
		}
		require.ErrorContains(t, err, "PROD_REDIS_URL must be redis://", address)
		require.NotContains(t, err.Error(), "canary")
	}
	cfg, err := Parse(Bot, prodEnviron())
	require.NoError(t, err)
	require.Equal(t, "atlas:prod:", cfg.RedisKeyPrefix, "environments can share one Redis")

	_, err = Parse(Bot, prodEnviron("PROD_REDIS_KEY_PREFIX={atlas}", "PROD_REDIS_POOL_SIZE=0", "PROD_REDIS_PATIENCE=3s",
		"PROD_REDIS_REST=1h", "PROD_BREAKER_FAILURES=0", "PROD_VPN_NODE_REST=0s"))
	for _, problem := range []string{
		"PROD_REDIS_KEY_PREFIX is \"{atlas}\"", "PROD_REDIS_POOL_SIZE is 0", "PROD_REDIS_TIMEOUT is 2s: must be at least the patience",
		"PROD_REDIS_REST is 1h", "PROD_BREAKER_FAILURES is 0", "PROD_VPN_NODE_REST is 0s",
	} {
		require.ErrorContains(t, err, problem)
	}
	_, err = Parse(Bot, prodEnviron("PROD_REDIS_PATIENCE=1ms"))
	require.ErrorContains(t, err, "PROD_REDIS_PATIENCE is 1ms: must be 10ms to 1m0s")
}
