// Package processes_test kills and stops the real binaries in the middle of what they do: between a claim and the act,
// between a credit and its mark, before a commit, and for longer than a lease.
package processes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// binaries has what the tests start, once it is built.
var binaries string

func TestMain(m *testing.M) {
	var err error
	if binaries, err = os.MkdirTemp("", "atlas-processes-"); err != nil {
		panic(err)
	}
	code := harness.Run(m)
	_ = os.RemoveAll(binaries)
	os.Exit(code)
}

type (
	// A holds arguments by parameter name.
	A = desk.A
	// Row is one row of an answer.
	Row = desk.Row
)

const (
	anna = desk.Anna
	bert = desk.Bert
	boss = desk.Boss

	token       = "700100:" + "ccccccccccccccccccccccccccccccccccc"
	cryptoToken = "1:crypto"
	patience    = 3 * time.Minute
	poll        = 5 * time.Millisecond
)

// bundle is a database and what processes need beside it: Telegram, Redis, a VPN node.
type bundle struct {
	*desk.Desk
	owner   *desk.Desk
	harness *harness.Bundle
	root    *desk.Desk // a superuser's
	env     []string
	node    *node
	redis   *harness.RedisBundle
	people  *person.Client

	telegram *httptest.Server
	sends    *sends
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return bundleOf(t, harness.New(t))
}

// bundleOf makes a bundle of a database.
func bundleOf(t *testing.T, h *harness.Bundle) *bundle {
	t.Helper()
	super, err := pgx.Connect(context.Background(), h.DSN(harness.Superuser))
	require.NoError(t, err)
	t.Cleanup(func() { _ = super.Close(context.Background()) })
	api, err := botapi.New(botapi.Options{Bots: []botapi.Bot{{Token: token}}})
	require.NoError(t, err)
	sends := &sends{next: api}
	telegram := httptest.NewServer(sends)
	t.Cleanup(func() { _ = api.Close(); telegram.CloseClientConnections(); telegram.Close() })
	b := &bundle{
		Desk: &desk.Desk{TB: t, Conn: h.DBA}, owner: &desk.Desk{TB: t, Conn: h.Owner}, root: &desk.Desk{TB: t, Conn: super},
		harness: h, node: newNode(t), redis: harness.PrivateRedis(t), people: person.NewClient(telegram.URL, ""),
		telegram: telegram, sends: sends,
	}
	b.env = append(os.Environ(), "APP_ENV=local", "LOCAL_BOT_TOKEN="+token, "LOCAL_BOT_API_URL="+telegram.URL,
		"LOCAL_REDIS_URL="+b.redis.URL, "LOCAL_VPN_NODE_URL="+b.node.URL, "LOCAL_VPN_NODE_API_KEY=key",
		"LOCAL_HTTP_ADDR=127.0.0.1:0", "LOCAL_WORKER_HTTP_ADDR=127.0.0.1:0", "LOCAL_LOG_LEVEL=DEBUG",
		"LOCAL_DATABASE_STATEMENT_TIMEOUT=3m", "LOCAL_DATABASE_LOCK_TIMEOUT=2m") // a busy machine is no fault
	b.Shop()
	return b
}

// onlyJob lets workers run one job, every second, under a lease of two seconds.
func (b *bundle) onlyJob(name string) {
	b.Helper()
	b.owner.Query("update ops.scheduled_job set is_enabled = name = $1, schedule = '1 seconds'", name)
	b.owner.Query("update ops.scheduled_job set timeout_seconds = 2 where is_exclusive")
}

// node is a VPN node that holds adds up while it is told to.
type node struct {
	*httptest.Server

	mu   sync.Mutex
	adds []string
	hold chan struct{} // while it is not nil, adds are noted and wait for its end
}

func newNode(t *testing.T) *node {
	n := &node{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"status":"ok","instance_id":"one","users":0}`)
	})
	mux.HandleFunc("POST /add-user", func(w http.ResponseWriter, r *http.Request) {
		var user struct {
			UUID string `json:"uuid"`
		}
		_ = json.NewDecoder(r.Body).Decode(&user)
		n.mu.Lock()
		n.adds = append(n.adds, user.UUID)
		hold := n.hold
		n.mu.Unlock()
		if hold != nil {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
		_, _ = fmt.Fprintf(w, `{"uuid":%q,"vless_link":"vless://%s@127.0.0.1:443"}`, user.UUID, user.UUID)
	})
	n.Server = httptest.NewServer(mux)
	t.Cleanup(func() { n.CloseClientConnections(); n.Close() })
	return n
}

func (n *node) added() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string{}, n.adds...)
}

var building sync.Mutex

// program is the path of a binary of ours, built when it is first asked for.
func program(t testing.TB, name string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	path := filepath.Join(binaries, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	command := exec.CommandContext(context.Background(), "go", "build", "-o", path, "./cmd/"+name)
	command.Dir = "../.."
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return path
}

// process is a running binary. Its log is kept.
type process struct {
	*exec.Cmd

	mu  sync.Mutex
	log strings.Builder
	end func() // kills it, if it still runs, and waits
}

func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

func (p *process) said(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Contains(p.log.String(), text)
}

// start runs the worker or the bot.
func (b *bundle) start(name string, env ...string) *process {
	b.Helper()
	login := map[string]harness.Role{"worker": harness.WorkerLogin, "bot": harness.BotLogin}[name]
	p := &process{Cmd: exec.Command(program(b, name))}
	p.Env = append(append(p.environment(b), "LOCAL_DATABASE_URL="+b.harness.DSN(login)), env...)
	p.Stdout, p.Stderr = p, p
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(b, p.Start())
	p.end = sync.OnceFunc(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	b.Cleanup(func() {
		p.end()
		if b.Failed() {
			b.Logf("%s said:\n%s", name, p.log.String())
		}
	})
	return p
}

func (p *process) environment(b *bundle) []string { return append([]string{}, b.env...) }

// eventually waits until something is so.
func (b *bundle) eventually(what string, isSo func() bool) {
	b.Helper()
	b.eventuallyIn(what, patience, isSo)
}

// eventuallyIn is for what takes long.
func (b *bundle) eventuallyIn(what string, patience time.Duration, isSo func() bool) {
	b.Helper()
	deadline := time.Now().Add(patience)
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for !isSo() {
		require.True(b, time.Now().Before(deadline), "in vain: %s", what)
		<-ticker.C
	}
}

// until waits until a query gives true.
func (b *bundle) until(what, sql string, args ...any) {
	b.Helper()
	b.eventually(what, func() bool { return b.root.Value(sql, args...) == true })
}

// waiting is the sessions of the application that wait for a lock in a function.
const waiting = `from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
	and application_name ~ '^atlas-' and query like '%' || $1 || '%'`

// count is the number of rows that a table expression has.
func (b *bundle) count(from string, args ...any) int {
	b.Helper()
	return b.owner.Value("select count(*) from "+from, args...).(int)
}

// begin starts a transaction of the owner's that holds something until the test ends or it is told to let go.
func (b *bundle) begin(lock string, args ...any) (release func()) {
	b.Helper()
	ctx := context.Background()
	tx, err := b.harness.Owner.Begin(ctx)
	require.NoError(b, err)
	_, err = tx.Exec(ctx, lock, args...)
	require.NoError(b, err)
	release = sync.OnceFunc(func() { _ = tx.Rollback(ctx) })
	b.Cleanup(release)
	return release
}
