package config

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// canaryKey is 32 bytes of "canarycanary…".
const canaryKey = "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E="

const canaryToken = "123456:canarycanarycanarycanarycanary12345"

func prodEnviron(more ...string) []string {
	return append([]string{
		"APP_ENV=prod",
		"PROD_DATABASE_URL=postgres://bot:canary@db.example:5432/atlas?sslpassword=canary",
		"PROD_REDIS_URL=rediss://:canary@redis.example:6379/0",
		"PROD_BOT_TOKEN=" + canaryToken,
		"PROD_VPN_NODE_URL=https://node.example",
		"PROD_VPN_NODE_API_KEY=canary",
		"PROD_CRYPTOPAY_TOKEN=canary",
		"PROD_REQUISITES_KEY=" + canaryKey,
	}, more...)
}

func TestLocalHasDefaults(t *testing.T) {
	t.Parallel()

	cfg, err := Parse(Bot, []string{"LOCAL_BOT_TOKEN=" + canaryToken})
	require.NoError(t, err)
	require.Equal(t, Local, cfg.Environment)
	require.Equal(t, localDatabaseURL, cfg.DatabaseURL.Reveal())
	require.Equal(t, localRedisURL, cfg.RedisURL.Reveal())
	require.Equal(t, "https://api.telegram.org", cfg.BotAPIURL)
	require.Equal(t, 20, cfg.DatabasePoolSize)
	require.Equal(t, 5*time.Second, cfg.DatabaseLockTimeout)
	require.NotEmpty(t, cfg.StateDir)
	require.False(t, cfg.CardProviderToken.IsSet())
}

func TestOnlyTheEnvironmentsOwnVariablesCount(t *testing.T) {
	t.Parallel()

	cfg, err := Parse(Bot, prodEnviron("LOCAL_LOG_LEVEL=DEBUG", "LOG_LEVEL=DEBUG", "PROD_LOG_LEVEL=WARN", "PROD_HTTP_ADDR= "))
	require.NoError(t, err)
	require.Equal(t, Prod, cfg.Environment)
	require.Equal(t, slog.LevelWarn, cfg.LogLevel)
	require.Equal(t, "127.0.0.1:0", cfg.HTTPAddr, "set to nothing means not set")
}

func TestStageAndProdRefuseToStartWithoutWhatTheyNeed(t *testing.T) {
	t.Parallel()

	_, err := Parse(Worker, []string{"APP_ENV=stage", "PROD_BOT_TOKEN=" + canaryToken})
	var problems *ProblemsError
	require.ErrorAs(t, err, &problems)
	require.Equal(t, []string{
		"STAGE_BOT_TOKEN is missing", "STAGE_DATABASE_URL is missing", "STAGE_REDIS_URL is missing",
		"STAGE_VPN_NODE_API_KEY is missing (or VPN_NODES, for several)",
		"STAGE_VPN_NODE_URL is missing (or VPN_NODES, for several)",
	}, problems.Problems)
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()

	_, err := Parse(Bot, []string{
		"APP_ENV=prod", "PROD_DATABASE_URL=postgres://db/atlas", "PROD_BOT_TOKEN=canary", "PROD_LOG_LEVEL=LOUD",
		"PROD_DATABASE_POOL_SIZE=many", "PROD_DATABASE_LOCK_TIMEOUT=1h", "PROD_HTTP_ADDR=8080",
		"PROD_CRYPTOPAY_URL=ftp://pay", "PROD_BOT_WEBHOOK_URL=http://bot.example/hook", "PROD_BOT_WEBHOOK_SECRET=a b",
		"PROD_REQUISITES_KEY=canary",
	})
	require.Error(t, err)
	for _, variable := range []string{
		"PROD_REDIS_URL is missing", "PROD_BOT_TOKEN does not look", "PROD_LOG_LEVEL is not a valid",
		"PROD_DATABASE_POOL_SIZE is not a valid int", "PROD_DATABASE_LOCK_TIMEOUT is 1h", "PROD_HTTP_ADDR is",
		"PROD_REQUISITES_KEY must be 32 bytes in base64", "PROD_CRYPTOPAY_URL must", "PROD_BOT_WEBHOOK_URL must be an https", "PROD_BOT_WEBHOOK_SECRET is",
	} {
		require.ErrorContains(t, err, variable)
	}
	require.NotContains(t, err.Error(), "canary")

	_, err = Parse(Bot, []string{"APP_ENV=production"})
	require.ErrorContains(t, err, `must be local, stage or prod`)
}

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()

	cfg, err := Parse(Bot, prodEnviron())
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, cfg.Describe(&out))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb, cfg)
		fmt.Fprintf(&out, verb, *cfg)
		fmt.Fprintf(&out, verb, struct{ hidden Secret }{cfg.BotToken})
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "config", cfg, "token", cfg.BotToken)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "config", cfg, "token", cfg.BotToken)
	require.NoError(t, json.NewEncoder(&out).Encode(cfg))
	require.NotContains(t, out.String(), "canary")
	require.NotContains(t, out.String(), canaryKey)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", "canary"))
	require.Equal(t, canaryToken, cfg.BotToken.Reveal())
}

func TestDescribeShowsWhatPeopleGetWrong(t *testing.T) {
	t.Parallel()

	cfg, err := Parse(Bot, prodEnviron())
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, cfg.Describe(&out))
	lines := map[string]string{}
	for line := range strings.Lines(out.String()) {
		name, value, _ := strings.Cut(line, " ")
		lines[name] = strings.TrimSpace(value)
	}
	require.Equal(t, "postgres://bot@db.example:5432/atlas [redacted]", lines["PROD_DATABASE_URL"])
	require.Equal(t, "rediss://redis.example:6379/0 [redacted]", lines["PROD_REDIS_URL"])
	require.Equal(t, "[redacted]", lines["PROD_BOT_TOKEN"])
	require.Equal(t, "(not set)", lines["PROD_CARD_PROVIDER_TOKEN"])
	require.Equal(t, "prod", lines["APP_ENV"])
}

func TestTheKeyOfRequisites(t *testing.T) {
	require.Len(t, base64Decoded(t, localRequisitesKey), RequisitesKeyBytes)
	cfg, err := Parse(Bot, []string{"LOCAL_BOT_TOKEN=" + canaryToken})
	require.NoError(t, err)
	require.True(t, IsLocalRequisitesKey(cfg.RequisitesKey))
	var out bytes.Buffer
	require.NoError(t, cfg.Describe(&out))
	require.Regexp(t, `LOCAL_REQUISITES_KEY +\[redacted\] \(the local default`, out.String())

	_, err = Parse(Bot, []string{"APP_ENV=stage"})
	require.ErrorContains(t, err, "STAGE_REQUISITES_KEY is missing")
	_, err = Parse(Bot, prodEnviron("PROD_REQUISITES_KEY="+localRequisitesKey))
	require.ErrorContains(t, err, "PROD_REQUISITES_KEY is the local default")

	for _, c := range []struct{ environment, key, problem string }{
		{"", "", ""}, {"local", "", ""}, {"prod", canaryKey, ""},
		{"prod", "", "PROD_REQUISITES_KEY is missing"}, {"prod", "canary", "PROD_REQUISITES_KEY must be 32 bytes"},
		{"prod", localRequisitesKey, "PROD_REQUISITES_KEY is the local default"}, {"moon", "", "APP_ENV is"},
	} {
		t.Setenv("APP_ENV", c.environment)
		t.Setenv("PROD_REQUISITES_KEY", c.key)
		key, err := RequisitesKey()
		if c.problem == "" {
			require.NoError(t, err)
			require.True(t, key.IsSet())
			continue
		}
		require.ErrorContains(t, err, c.problem)
		require.NotContains(t, err.Error(), "canary")
	}
}

func base64Decoded(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	return raw
}
