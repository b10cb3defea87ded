package harness

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/config"
	"atlas-secure/internal/redisdb"
	"atlas-secure/internal/sandbox/port"
	"atlas-secure/internal/sandbox/process"
	sandboxredis "atlas-secure/internal/sandbox/redis"
)

const (
	masterName = "atlas"
	hashSlots  = 16384
	// failAfter is how long a server is silent until the others take it for dead.
	failAfter = 2 * time.Second
)

// RedisKind is an installation of several servers, of which any one may die.
type RedisKind struct {
	// URL is what a process gets as REDIS_URL.
	URL string
	// Client is connected to the installation, as a process is.
	Client redis.UniversalClient

	servers map[string]*sandboxredis.Server // by address
}

// RedisSentinel is a master, a replica, and a Sentinel that makes the replica a master when the other is dead.
func RedisSentinel(t testing.TB) *RedisKind {
	t.Helper()
	k := &RedisKind{servers: map[string]*sandboxredis.Server{}}
	host, number, _ := net.SplitHostPort(k.start(t))
	k.start(t, "--replicaof", host+" "+number)
	address := startSentinel(t, fmt.Sprintf(
		"sentinel monitor %[1]s %[2]s %[3]s 1\nsentinel down-after-milliseconds %[1]s %[4]d\nsentinel failover-timeout %[1]s %[5]d\n",
		masterName, host, number, failAfter.Milliseconds(), 2*failAfter.Milliseconds()))
	k.URL = fmt.Sprintf("redis+sentinel://%s/0?master_name=%s", address, masterName)
	k.connect(t)
	asked := redis.NewSentinelClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = asked.Close() })
	awaitRedis(t, "the Sentinel to know the replica", func(ctx context.Context) bool {
		known, err := asked.Replicas(ctx, masterName).Result()
		return err == nil && len(known) == 1 && known[0]["master-link-status"] == "ok"
	})
	return k
}

// RedisCluster is three masters with a replica each.
func RedisCluster(t testing.TB) *RedisKind {
	t.Helper()
	const masters = 3
	k := &RedisKind{servers: map[string]*sandboxredis.Server{}}
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	var clients []*redis.Client
	var addresses []string
	for i := range 2 * masters {
		bus, err := port.Reserve(0)
		requireRedis(t, err)
		t.Cleanup(func() { _ = bus.Close() })
		address := k.start(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus.Number),
			"--cluster-node-timeout", strconv.FormatInt(failAfter.Milliseconds(), 10))
		client := redis.NewClient(&redis.Options{Addr: address})
		t.Cleanup(func() { _ = client.Close() })
		clients, addresses = append(clients, client), append(addresses, address)
		host, number, _ := net.SplitHostPort(address)
		if i < masters {
			requireRedis(t, client.ClusterAddSlotsRange(ctx, i*hashSlots/masters, (i+1)*hashSlots/masters-1).Err())
		}
		requireRedis(t, clients[0].Do(ctx, "cluster", "meet", host, number, bus.Number).Err())
	}
	for i, client := range clients[masters:] {
		id, err := clients[i].Do(ctx, "cluster", "myid").Text()
		requireRedis(t, err)
		awaitRedis(t, "a replica to know its master", func(ctx context.Context) bool { return client.ClusterReplicate(ctx, id).Err() == nil })
	}
	k.URL = "redis+cluster://" + addresses[0] + "?addr=" + strings.Join(addresses[1:], "&addr=")
	k.connect(t)
	for i, client := range clients {
		awaitRedis(t, "the cluster to be whole", func(ctx context.Context) bool {
			info, err := client.ClusterInfo(ctx).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, fmt.Sprint("cluster_known_nodes:", 2*masters)) {
				return false
			}
			role, err := client.Info(ctx, "replication").Result()
			return err == nil && (i < masters && strings.Contains(role, "connected_slaves:1") ||
				i >= masters && strings.Contains(role, "master_link_status:up"))
		})
	}
	return k
}

// KillMaster ends the server that has a key, once its replica has all that it has.
func (k *RedisKind) KillMaster(t testing.TB, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	client, isSingle := k.Client.(*redis.Client)
	if cluster, isCluster := k.Client.(*redis.ClusterClient); isCluster && !isSingle {
		var err error
		client, err = cluster.MasterForKey(ctx, key)
		requireRedis(t, err)
	}
	conn := client.Conn()
	defer func() { _ = conn.Close() }()
	requireRedis(t, conn.Set(ctx, key+":mark", 1, time.Minute).Err())
	copies, err := conn.Wait(ctx, 1, setupLimit).Result()
	requireRedis(t, err)
	info, err := conn.ClientInfo(ctx).Result()
	requireRedis(t, err)
	server := k.servers[info.LAddr]
	if copies != 1 || server == nil {
		t.Fatalf("harness: %s has %s, and %d replicas", info.LAddr, key, copies)
	}
	requireRedis(t, server.Kill())
}

// start starts a server, and gives its address.
func (k *RedisKind) start(t testing.TB, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	server, err := sandboxredis.Start(ctx, sandboxredis.Options{Arguments: arguments})
	requireRedis(t, err)
	t.Cleanup(func() { requireRedis(t, server.Stop(context.Background())) })
	k.servers[server.Addr()] = server
	return server.Addr()
}

func (k *RedisKind) connect(t testing.TB) {
	t.Helper()
	client, err := redisdb.Open(redisdb.Options{URL: config.NewSecret(k.URL)})
	requireRedis(t, err)
	k.Client = client
	t.Cleanup(func() { _ = client.Close() })
}

// startSentinel starts a Sentinel with its settings, and gives its address.
func startSentinel(t testing.TB, settings string) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	requireRedis(t, err)
	kept, err := port.Reserve(0)
	requireRedis(t, err)
	t.Cleanup(func() { _ = kept.Close() })
	dir := t.TempDir()
	file := filepath.Join(dir, "sentinel.conf")
	settings = fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\n", kept.Number, dir) + settings
	requireRedis(t, os.WriteFile(file, []byte(settings), 0o600))
	log, err := process.LogFile(filepath.Join(dir, "sentinel.log"))
	requireRedis(t, err)
	p, err := process.Start(process.Spec{
		Path: path, Args: []string{file, "--sentinel"}, Env: []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}, Dir: dir, Output: log,
	})
	requireRedis(t, err)
	t.Cleanup(func() { requireRedis(t, p.Kill()) })
	return kept.Address()
}

func awaitRedis(t testing.TB, what string, isSo func(ctx context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	ticker := time.NewTicker(redisPoll)
	defer ticker.Stop()
	for !isSo(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("harness: waited in vain for %s", what)
		case <-ticker.C:
		}
	}
}

func requireRedis(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("harness: Redis: %v", err)
	}
}
