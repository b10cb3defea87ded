package e2e

import (
	"encoding/csv"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPsqlByHand is a DBA without a bot: the purchase of testdata/purchase.sql, typed into psql.
func TestPsqlByHand(t *testing.T) {
	t.Parallel()
	b := setup(t)

	t.Run("the same purchase with contract functions only", func(t *testing.T) {
		b := b.in(t)
		anna := b.newCustomer("Anna", "en")
		require.NoError(t, anna.say("/start").sees("Choose your language").err) // else the bot may not write to her
		out, err := b.psql("dba", "-v", "user="+strconv.FormatInt(anna.ID, 10), "-v", "admin="+strconv.Itoa(boss),
			"-f", filepath.Join("testdata", "purchase.sql"))
		require.NoError(t, err, out)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		require.Equal(t, []string{
			"credit|50000", "open|14900", "pay|paid|35100|f", "pay again|paid|35100|t", "subscription|active|basic",
			"ledger|purchase|-14900", "ledger|admin_credit|50000",
		}, lines)
		b.keyArrives(anna)
		b.paidOnce(anna)
		b.reconciled()
	})

	t.Run("a bot cannot touch the money", func(t *testing.T) {
		b := b.in(t)
		for _, statement := range []string{
			"update wallet.wallet set available_kopecks = available_kopecks + 1",
			"insert into ledger.transfer default values",
			"delete from billing.purchase",
		} {
			out, err := b.psql("bot", "-v", "VERBOSITY=verbose", "-c", statement)
			require.Error(t, err, statement)
			require.Contains(t, out, "ERROR:  42501: permission denied", statement)
		}
	})

	t.Run(`\df+ is the manual`, func(t *testing.T) {
		b := b.in(t)
		for _, schema := range []string{"account", "wallet", "billing", "subscription", "vpn", "notify", "ops"} {
			out, err := b.psql("dba", "--csv", "-P", "tuples_only=off", "-c", `\df+ `+schema+".*")
			require.NoError(t, err, out)
			functions, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			require.NoError(t, err)
			heads, functions := functions[0], functions[1:]
			require.NotEmpty(t, functions, schema)
			name, description := column(t, heads, "Name"), column(t, heads, "Description")
			for _, function := range functions {
				require.Greater(t, len(function[description]), 20, "%s.%s: %q", schema, function[name], function[description])
			}
		}
	})
}

func column(t *testing.T, heads []string, name string) int {
	t.Helper()
	for i, head := range heads {
		if head == name {
			return i
		}
	}
	t.Fatalf("psql has no column %s: %v", name, heads)
	return 0
}

// psql runs the real psql as one of the logins, and gives all that it prints.
func (b *bundle) psql(role string, arguments ...string) (string, error) {
	b.Helper()
	program := findProgram(b, "psql", "postgresql-client", "/usr/lib/postgresql/*/bin/psql")
	command := exec.CommandContext(b.ctx, program, append([]string{
		"-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", b.sandbox.Databases[role],
	}, arguments...)...)
	out, err := command.CombinedOutput()
	return string(out), err
}
