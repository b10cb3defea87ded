package redisdb_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/redisdb"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

func open(t *testing.T, address string) redis.UniversalClient {
	t.Helper()
	client, err := redisdb.Open(redisdb.Options{URL: config.NewSecret(address), PoolSize: 7, Timeout: 30 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	single, isSingle := open(t, "rediss://user:canary@redis.example:6380/3").(*redis.Client)
	require.True(t, isSingle)
	o := single.Options()
	require.Equal(t, []any{"redis.example:6380", "user", "canary", 3, 7}, []any{o.Addr, o.Username, o.Password, o.DB, o.PoolSize})
	require.Equal(t, "redis.example", o.TLSConfig.ServerName)
	require.True(t, o.ContextTimeoutEnabled, "patience needs it")

	failover, isSingle := open(t, "redis+sentinel://one.example:26379/2?master_name=atlas&addr=two.example:26379&username=bot&password=canary").(*redis.Client)
	require.True(t, isSingle)
	o = failover.Options()
	require.Equal(t, []any{"FailoverClient", "bot", "canary", 2, 7}, []any{o.Addr, o.Username, o.Password, o.DB, o.PoolSize})
	require.Nil(t, o.TLSConfig)

	cluster, isCluster := open(t, "rediss+cluster://bot:canary@one.example?addr=two.example:7000").(*redis.ClusterClient)
	require.True(t, isCluster)
	co := cluster.Options()
	require.Equal(t, []string{"one.example:6379", "two.example:7000"}, co.Addrs)
	require.Equal(t, []any{"bot", "canary", 7}, []any{co.Username, co.Password, co.PoolSize})
	require.NotNil(t, co.TLSConfig)

	for _, wrong := range []string{"redis://canary:x", "http://canary", "redis+sentinel://h:1/canary", "redis+cluster://h:1?canary=1"} {
		_, err := redisdb.Open(redisdb.Options{URL: config.NewSecret(wrong)})
		require.ErrorContains(t, err, "must be redis://")
		require.NotContains(t, err.Error(), "canary")
	}
}

// TestTheRealServer: who may not run CONFIG, and who may not run INFO, is told of the policy all the same.
func TestTheRealServer(t *testing.T) {
	t.Parallel()
	r := harness.PrivateRedis(t)
	ctx := t.Context()
	require.NoError(t, redisdb.Inspect(ctx, r.Client))
	for _, user := range [][]any{
		{"no-config", "on", ">pw", "+@all", "-config", "~*"}, {"no-info", "on", ">pw", "+@all", "-info", "~*"},
		{"neither", "on", ">pw", "+@all", "-info", "-config", "~*"},
	} {
		require.NoError(t, r.Client.Do(ctx, append([]any{"acl", "setuser"}, user...)...).Err())
	}
	as := func(user, password string) error {
		return redisdb.Inspect(ctx, open(t, "redis://"+user+":"+password+"@"+r.Server.Addr()))
	}
	require.NoError(t, as("no-config", "pw"))
	var unfit *redisdb.UnfitError
	require.ErrorAs(t, as("no-config", "wrong"), &unfit)
	require.ErrorContains(t, unfit, "refuses the user and password")
	require.ErrorAs(t, as("no-info", "pw"), &unfit)
	require.Len(t, unfit.Problems, 1, "CONFIG tells the policy")
	require.ErrorAs(t, as("neither", "pw"), &unfit)
	require.Len(t, unfit.Problems, 2)

	require.NoError(t, r.Client.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru").Err())
	for _, err := range []error{as("no-config", "pw"), redisdb.Inspect(ctx, r.Client)} {
		require.ErrorAs(t, err, &unfit)
		require.EqualError(t, unfit, "redis: maxmemory-policy is allkeys-lru: set it to noeviction, or a full Redis forgets in silence")
	}
}

// speaker is a Redis that says of itself what it is told to.
func speaker(t *testing.T, version string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, version)
		}
	}()
	return listener.Addr().String()
}

// serve answers each command by its name; the commands of a handshake are refused, as an old server does.
func serve(conn net.Conn, version string) {
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		commands := bytes.Split(buffer[:n], []byte("*"))[1:]
		for _, command := range commands {
			answer := "-ERR unknown command\r\n"
			switch text := bytes.ToLower(command); {
			case bytes.Contains(text, []byte("ping")):
				answer = "+PONG\r\n"
			case bytes.Contains(text, []byte("server")):
				answer = "$" + length("redis_version:"+version) + "\r\nredis_version:" + version + "\r\n"
			case bytes.Contains(text, []byte("memory")):
				answer = "$" + length("maxmemory_policy:noeviction") + "\r\nmaxmemory_policy:noeviction\r\n"
			}
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
	}
}

func length(text string) string {
	return string([]byte{byte('0' + len(text)/10), byte('0' + len(text)%10)})
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, isFit := range map[string]bool{
		"6.0.0": true, "6.0": true, "7.2.4": true, "10.0.1": true, "255.255.255": true, "5.0.14": false, "2.8": false,
	} {
		err := redisdb.Inspect(t.Context(), open(t, "redis://"+speaker(t, version)))
		if isFit {
			require.NoError(t, err, version)
			continue
		}
		require.EqualError(t, err, "redis: version "+version+" is too old: install 6.0 or newer")
	}
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	mini := open(t, "redis://"+miniredis.RunT(t).Addr()) // which says nothing of itself
	_, err := redisdb.Admit(t.Context(), mini, true, obs.NewLogger(&log, 0, "test"))
	var unfit *redisdb.UnfitError
	require.ErrorAs(t, err, &unfit)
	later, err := redisdb.Admit(t.Context(), mini, false, obs.NewLogger(&log, 0, "test"))
	require.NoError(t, err)
	require.Contains(t, log.String(), "stage and prod would not start")
	later(t.Context()) // nothing is left to be done

	r := harness.PrivateRedis(t)
	proxy := r.Proxy(t)
	proxy.Down()
	log.Reset()
	later, err = redisdb.Admit(t.Context(), open(t, proxy.URL), true, obs.NewLogger(&log, 0, "test"))
	require.NoError(t, err, "one that is away holds nobody up")
	require.Contains(t, log.String(), "going on without it")
	require.NoError(t, r.Client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
	var isBack atomic.Bool
	time.AfterFunc(100*time.Millisecond, func() { isBack.Store(true); proxy.Up() })
	later(t.Context())
	require.True(t, isBack.Load())
	require.Contains(t, log.String(), "maxmemory-policy is allkeys-lru")

	given, cancel := context.WithCancel(t.Context())
	proxy.Down()
	later, err = redisdb.Admit(t.Context(), open(t, proxy.URL), true, obs.Discard())
	require.NoError(t, err)
	cancel()
	later(given)
}
