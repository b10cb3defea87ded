package contract_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

func TestPlpgsqlCheckFindsNothing(t *testing.T) {
	b := setup(t)
	conn, err := pgx.Connect(context.Background(), b.harness.DSN(harness.Superuser))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	super := b.On(t, conn)
	available := super.Value("select exists (select from pg_available_extensions where name = 'plpgsql_check')")
	require.Equal(t, true, available, "the server lacks plpgsql_check: install Debian's package postgresql-<version>-plpgsql-check")
	super.Query("create extension plpgsql_check")

	checked := 0
	for _, row := range super.Query(`
		select p.oid::regprocedure::text as name, c.line as line
		from pg_proc p
		join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
		join pg_namespace n on n.oid = p.pronamespace and n.nspowner = 'atlas_owner'::regrole
		left join lateral plpgsql_check_function(p.oid, fatal_errors => false, extra_warnings => true,
		  performance_warnings => false, security_warnings => true, compatibility_warnings => true) c (line) on true
		where p.prorettype <> 'trigger'::regtype`) {
		checked++
		if row["line"] != nil {
			t.Error(fmt.Sprint(row["name"], ": ", row["line"]))
		}
	}
	require.Greater(t, checked, 60)
}
