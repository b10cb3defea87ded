package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/contract/desk"
)

// The short names of the package's most used things.
type (
	// A holds arguments by parameter name.
	A = desk.A
	// Row is one row of an answer.
	Row = desk.Row
)

const (
	// patience is how long one test may take before its waits give up.
	patience = 8 * time.Minute
	// glance is the pause between two looks at something that nobody announces.
	glance = 50 * time.Millisecond
	// boss is the number of the admin who gives out money here.
	boss = 600_000
)

// bundle is the running system as a test sees it: a DBA's desk (embedded), the people, and the processes.
type bundle struct {
	*desk.Desk
	ctx     context.Context // ends with the test, before its cleanups
	sandbox *sandbox
	people  *person.Client
	pool    *pgxpool.Pool
}

// setup gives a test the shared system.
func setup(t *testing.T) *bundle {
	t.Helper()
	return setupOn(t, shared)
}

// setupAlone gives a test a system of its own, whose clock it may move and whose parts it may break.
func setupAlone(t *testing.T, name string) *bundle {
	t.Helper()
	own, err := startSandbox(filepath.Join(work, name))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.stop()) })
	return setupOn(t, own)
}

func setupOn(t *testing.T, on *sandbox) *bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	pool, err := pgxpool.New(ctx, on.Databases["dba"])
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	b := &bundle{
		Desk: &desk.Desk{TB: t, Conn: pool}, ctx: ctx, sandbox: on, pool: pool,
		people: person.NewClient(on.HTTP.Chat, ""),
	}
	b.User(boss)
	b.One("account.grant_admin", A{"p_telegram_id": boss, "p_note": "gives out money in tests"})
	return b
}

// in gives the same for a subtest.
func (b *bundle) in(t *testing.T) *bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &bundle{Desk: b.On(t, b.Conn), ctx: ctx, sandbox: b.sandbox, people: b.people, pool: b.pool}
}

// credit gives somebody money, once.
func (b *bundle) credit(id, kopecks int) {
	b.Helper()
	b.One("wallet.credit", A{"p_telegram_id": id, "p_amount_kopecks": kopecks, "p_admin_id": boss, "p_note": "test",
		"p_idempotency_key": "pocket money"})
}

// reconciled checks that the books agree with each other.
func (b *bundle) reconciled() {
	b.Helper()
	require.Empty(b, b.Query("select * from ops.reconcile()"))
}

// forgetConnections makes the desk connect anew: the server was killed.
func (b *bundle) forgetConnections() {
	b.Helper()
	b.pool.Reset()
	b.eventually("the database answers", func() error { return b.pool.Ping(b.ctx) })
}

// eventually looks again and again until there is no error, or the test's time is over.
func (b *bundle) eventually(what string, look func() error) {
	b.Helper()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		err := look()
		if err == nil {
			return
		}
		select {
		case <-b.ctx.Done():
			b.Fatalf("waited in vain until %s: %v", what, err)
		case <-ticker.C:
		}
	}
}

// nodeUsers are the identities that the VPN node lets in.
func (b *bundle) nodeUsers() []string {
	b.Helper()
	var users []struct {
		UUID string `json:"uuid"`
	}
	b.callNode(http.MethodGet, "/users", &users)
	ids := make([]string, 0, len(users))
	for _, user := range users {
		ids = append(ids, user.UUID)
	}
	return ids
}

func (b *bundle) removeFromNode(uuid string) {
	b.Helper()
	var removed struct {
		UUID string `json:"uuid"`
	}
	b.callNode(http.MethodPost, "/remove-user/"+uuid, &removed)
	require.Equal(b, uuid, removed.UUID)
}

func (b *bundle) callNode(method, path string, answer any) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.ctx, method, b.sandbox.Node.URL+path, http.NoBody)
	require.NoError(b, err)
	request.Header.Set("X-API-Key", b.sandbox.Node.APIKey)
	response, err := http.DefaultClient.Do(request)
	require.NoError(b, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(b, http.StatusOK, response.StatusCode, path)
	require.NoError(b, json.NewDecoder(response.Body).Decode(answer))
}

// findProgram finds a program in the path or at one of the places, or fails with what to install.
func findProgram(t testing.TB, name, debianPackage string, places ...string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, place := range places {
		if found, err := filepath.Glob(place); err == nil && len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s (or .ci/deps test)", name, debianPackage)
	return ""
}

// utf16Slice cuts a text as Telegram counts: in UTF-16 units.
func utf16Slice(text string, offset, length int) string {
	units := utf16.Encode([]rune(text))
	if offset < 0 || length < 0 || offset+length > len(units) {
		return fmt.Sprintf("(%d..%d is outside of %q)", offset, offset+length, text)
	}
	return string(utf16.Decode(units[offset : offset+length]))
}
