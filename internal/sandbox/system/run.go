package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sandbox/port"
	"atlas-secure/internal/sandbox/postgres"
	"atlas-secure/internal/sandbox/process"
	"atlas-secure/internal/sandbox/redis"
)

const (
	readyTime = 3 * time.Minute
	stopTime  = time.Minute
	readyPoll = 100 * time.Millisecond
)

// Run starts the whole system, says what it does, and keeps it running until ctx ends. A *RunningError says that another
// run has the state folder.
func Run(ctx context.Context, opts Options) (err error) {
	if err := opts.complete(); err != nil {
		return err
	}
	lock, err := takeState(&opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	info, err := earlierInfo(opts.StateDir)
	if err != nil {
		return fmt.Errorf("%w (start over with --fresh)", err)
	}
	logFile, err := process.LogFile(opts.path(logsDir, "sandbox.log"))
	if err != nil {
		return fmt.Errorf("the log: %w", err)
	}
	s := &system{opts: &opts, info: info, log: obs.NewLogger(logFile, slog.LevelInfo, "sandbox")}
	defer func() {
		err = errors.Join(err, s.stop(), logFile.Close())
	}()
	if err := s.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it was up
		}
		return err
	}
	s.tellWhatToTry()
	return s.watch(ctx)
}

type system struct {
	opts *Options
	info *Info
	log  *slog.Logger

	database *postgres.Server
	redis    *redis.Server
	outside  *outside
	family   *family
	machine  *machine
	ports    []*port.Reservation // of the children
}

func (s *system) start(ctx context.Context) error {
	started := time.Now()
	s.say("Atlas Secure, all of it on this machine. State: %s", s.opts.StateDir)
	s.info.PID, s.info.StartedAt, s.info.Processes = os.Getpid(), started.UTC(), map[string]int{}
	s.info.takeSecrets()
	for _, step := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"Postgres", s.startDatabase},
		{"Migrations", s.migrate},
		{"Redis", s.startRedis},
		{"Clock", s.readClock},
		{"Telegram and Crypto Pay", s.openOutside},
		{"VPN node", s.startNode},
		{"Bot", s.startBots},
		{"Worker", s.startWorkers},
	} {
		begun := time.Now()
		what, err := step.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		s.say("  %-24s %s (%s)", step.name, what, time.Since(begun).Round(10*time.Millisecond))
	}
	s.say("Up in %s.", time.Since(started).Round(100*time.Millisecond))
	return nil
}

func (s *system) startDatabase(ctx context.Context) (_ string, err error) {
	s.database, err = postgres.Start(ctx, postgres.Options{
		DataDir: s.opts.path(databaseDir), Durable: true, LogPath: "",
	})
	if err != nil {
		return "", err //nolint:wrapcheck // the step's name is put before it
	}
	s.info.Databases = map[string]string{}
	for name, login := range logins {
		s.info.Databases[name] = s.database.DSN(login, databaseName)
	}
	return s.database.Describe(), nil
}

func (s *system) migrate(ctx context.Context) (string, error) {
	if err := checkMigrations(s.opts); err != nil {
		return "", err
	}
	applied, err := prepareDatabase(ctx, s.database)
	if err != nil {
		return "", err
	}
	if err := keepMigrations(s.opts); err != nil {
		return "", err
	}
	for _, person := range People() {
		if person.IsAdmin {
			if err := makeAdmin(ctx, s.info.Databases["dba"], person); err != nil {
				return "", err
			}
		}
	}
	return fmt.Sprintf("%d applied; the first admin is Boris", applied), nil
}

func (s *system) startRedis(ctx context.Context) (_ string, err error) {
	if s.redis, err = redis.Start(ctx, redis.Options{LogPath: s.opts.path(logsDir, "redis.log")}); err != nil {
		return "", err //nolint:wrapcheck // the step's name is put before it
	}
	s.info.Redis = s.redis.URL(0)
	return s.redis.Describe(), nil
}

// readClock makes what the control panel needs.
func (s *system) readClock(ctx context.Context) (string, error) {
	pool, err := openPanelPool(ctx, s.info.Databases["owner"])
	if err != nil {
		return "", err
	}
	s.family = &family{opts: s.opts, info: s.info}
	s.machine = &machine{ctx: ctx, pool: pool, family: s.family, servers: []*keeper{
		newKeeper("postgres", "Postgres", s.database, s.say), newKeeper("redis", "Redis", s.redis, s.say),
	}}
	s.machine.clock = &clock{pool: pool, redis: s.redis, isWorked: s.machine.isWorked}
	if err := s.machine.clock.read(ctx); err != nil {
		return "", err
	}
	if ahead := s.machine.Clock().AheadSeconds; ahead > 0 {
		return "ahead by " + (time.Duration(ahead) * time.Second).String(), nil
	}
	return "as on this machine", nil
}

func (s *system) openOutside(ctx context.Context) (string, error) {
	chats, err := listen(ctx, s.info.HTTP.Chat, preferredChatPort)
	if err != nil {
		return "", err
	}
	invoices, err := listen(ctx, s.info.HTTP.CryptoPay, 0)
	if err != nil {
		return "", errors.Join(err, chats.Close())
	}
	s.info.HTTP.Chat = "http://" + chats.Addr().String()
	s.info.HTTP.CryptoPay = "http://" + invoices.Addr().String()
	for _, address := range []*string{&s.info.HTTP.Bot, &s.info.HTTP.Worker, &s.info.Node.URL} {
		kept, err := reserve(*address)
		if err != nil {
			return "", errors.Join(err, chats.Close(), invoices.Close())
		}
		s.ports = append(s.ports, kept)
		*address = "http://" + kept.Address()
	}
	if s.outside, err = openOutside(s.opts, s.info, s.log, s.machine, chats, invoices); err != nil {
		return "", errors.Join(err, chats.Close(), invoices.Close())
	}
	s.info.BotEnv = s.common("bot")
	return s.info.HTTP.Chat + ", " + s.info.HTTP.CryptoPay, s.info.write(s.opts.StateDir)
}

func (s *system) startNode(ctx context.Context) (string, error) {
	err := s.family.add(ctx, child{name: "vpnnode", program: "vpnnode", env: []string{
		"VPNNODE_API_KEY=" + s.info.Node.APIKey, "VPNNODE_LISTEN=" + hostOf(s.info.Node.URL),
		"VPNNODE_XRAY_LISTEN=127.0.0.1:0", "VPNNODE_STATE_DIR=" + s.opts.path(nodeDir), "VPNNODE_ALLOW_LOOPBACK=true",
	}})
	if err != nil {
		return "", err
	}
	return s.info.Node.URL + ", a real Xray core", s.awaitReady(ctx, "vpnnode", s.info.Node.URL+"/health")
}

func (s *system) startBots(ctx context.Context) (string, error) {
	return s.startCopies(ctx, "bot", "LOCAL_HTTP_ADDR=", s.info.HTTP.Bot, s.opts.Bots, s.info.BotEnv)
}

func (s *system) startWorkers(ctx context.Context) (string, error) {
	return s.startCopies(ctx, "worker", "LOCAL_WORKER_HTTP_ADDR=", s.info.HTTP.Worker, s.opts.Workers, s.common("worker"))
}

// startCopies starts a program once or more; the first has the address that others know.
func (s *system) startCopies(
	ctx context.Context, program, variable, address string, copies int, env []string,
) (string, error) {
	for i := range copies {
		name, listenAt := program, hostOf(address)
		if i > 0 {
			name, listenAt = fmt.Sprintf("%s-%d", program, i+1), "127.0.0.1:0"
		}
		own := append(append([]string{}, env...), variable+listenAt)
		if err := s.family.add(ctx, child{name: name, program: program, env: own}); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d at %s", copies, address), s.awaitReady(ctx, program, address+"/readyz")
}

// common is what bot and worker are both told.
func (s *system) common(role string) []string {
	return []string{
		"APP_ENV=local", "LOCAL_STATE_DIR=" + s.opts.StateDir,
		"LOCAL_DATABASE_URL=" + s.info.Databases[role], "LOCAL_REDIS_URL=" + s.info.Redis,
		"LOCAL_REDIS_PATIENCE=2s", // one busy machine for everything
		"LOCAL_BOT_TOKEN=" + s.info.BotToken, "LOCAL_BOT_API_URL=" + s.info.HTTP.Chat,
		"LOCAL_CRYPTOPAY_TOKEN=" + s.info.CryptoPayToken, "LOCAL_CRYPTOPAY_URL=" + s.info.HTTP.CryptoPay,
		"LOCAL_CARD_PROVIDER_TOKEN=284685063:TEST:sandbox",
		"LOCAL_VPN_NODE_URL=" + s.info.Node.URL, "LOCAL_VPN_NODE_API_KEY=" + s.info.Node.APIKey,
		"LOCAL_SUPPORT_CONTACT=@boris",
	}
}

// awaitReady waits until a server answers 200.
func (s *system) awaitReady(ctx context.Context, name, address string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return fmt.Errorf("asking whether it is ready: %w", err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready after %s; the end of its log:\n%s", readyTime,
				process.Tail(s.opts.path(logsDir, name+".log"), 15))
		case <-ticker.C:
		}
	}
}

func (s *system) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.opts.Out, format+"\n", args...)
}
