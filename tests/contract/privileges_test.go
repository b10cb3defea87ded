package contract_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

var update = flag.Bool("update", false, "write testdata/privileges.golden instead of comparing with it")

const privileges = "testdata/privileges.golden"

// granted lists all that anybody but an object's owner may do, the roles and what they are members of, and their settings.
const granted = `
with ours as (
  select r.oid, r.rolname from pg_roles r where r.rolname ~ '^atlas_' and r.rolname !~ '^atlas_test_'
), grants as (
  select 'database' as kind, 'atlas' as name, d.datdba as owner, a.* from pg_database d
  cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a where d.datname = current_database()
  union all
  select 'schema', n.nspname, n.nspowner, a.* from pg_namespace n
  cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a where n.nspname !~ '^pg_|^information_schema$'
  union all
  select case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, c.oid::regclass::text, c.relowner, a.*
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  cross join aclexplode(coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) a
  where n.nspname !~ '^pg_|^information_schema$' and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
  union all
  select 'column', c.oid::regclass || '.' || t.attname, c.relowner, a.*
  from pg_attribute t join pg_class c on c.oid = t.attrelid join pg_namespace n on n.oid = c.relnamespace
  cross join aclexplode(t.attacl) a where n.nspname !~ '^pg_|^information_schema$'
  union all
  select 'function', p.oid::regproc::text, p.proowner, a.* from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where n.nspname !~ '^pg_|^information_schema$'
)
select format('%s: %s%s %s %s', case when g.grantee = 0 then 'PUBLIC' else g.grantee::regrole::text end,
              lower(g.privilege_type), case when g.is_grantable then ' with grant option' else '' end, g.kind, g.name)
from grants g
where g.grantee <> g.owner and (g.grantee = 0 or g.grantee in (select o.oid from ours o) or g.owner in (select o.oid from ours o))
union all
select format('%s: is%s', r.rolname, concat(
         case when r.rolcanlogin then ' login' else ' nologin' end, case when r.rolinherit then ' inherit' end,
         case when r.rolsuper then ' superuser' end, case when r.rolcreaterole then ' createrole' end,
         case when r.rolcreatedb then ' createdb' end, case when r.rolreplication then ' replication' end,
         case when r.rolbypassrls then ' bypassrls' end))
from pg_roles r join ours o on o.oid = r.oid
union all
select format('%s: member of %s%s', m.member::regrole, m.roleid::regrole, case when m.admin_option then ' with admin option' end)
from pg_auth_members m where m.member in (select o.oid from ours o)
union all
select format('%s: set %s', s.setrole::regrole, c.setting)
from pg_db_role_setting s cross join unnest(s.setconfig) c (setting) where s.setrole in (select o.oid from ours o)
order by 1`

func TestX4Privileges(t *testing.T) {
	b := setup(t)
	lines := []string{}
	for _, row := range b.owner.Query(granted) {
		lines = append(lines, row["format"].(string))
	}
	got := "# Who may do what, beside owners with their own objects. Written by: go test ./tests/contract -run Privileges -update\n" +
		strings.Join(lines, "\n") + "\n"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(privileges, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(privileges)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "if this is right: go test ./tests/contract -run Privileges -update")
}

func TestLoginsHaveTimeouts(t *testing.T) {
	b := setup(t)
	for _, login := range []string{"migrator", "bot", "worker", "auditor", "dba"} {
		for _, name := range []string{"lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"} {
			found := b.owner.Value(`select count(*) from pg_db_role_setting s cross join unnest(s.setconfig) c (setting)
				where s.setrole = $1::text::regrole and s.setdatabase = 0 and c.setting ~ ('^' || $2 || '=[1-9]')`,
				"atlas_"+login+"_login", name)
			require.Equal(t, 1, found, "atlas_%s_login: %s", login, name)
		}
	}
}

func TestDefinersPinTheirPath(t *testing.T) {
	b := setup(t)
	require.Empty(t, b.owner.Query(`
		select p.oid::regproc from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where p.prosecdef and n.nspname !~ '^pg_|^information_schema$'
		  and not (coalesce(p.proconfig, '{}') @> '{"search_path=pg_catalog, pg_temp"}' and p.proowner = 'atlas_owner'::regrole)`))
}

// TestX4NobodyBecomesSomebodyElse: only the migrator's login acts as the owner.
func TestX4NobodyBecomesSomebodyElse(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	for _, login := range []harness.Role{harness.BotLogin, harness.WorkerLogin, harness.AuditorLogin, harness.DBALogin} {
		pool := b.harness.Pool(t, login)
		for _, attack := range []string{
			"set role atlas_owner", "set role postgres", "set session authorization atlas_owner", "set role pg_read_all_stats",
			"set role pg_read_all_data", "grant atlas_owner to current_user", "alter role current_user superuser",
			"alter role postgres password 'x'", "create role mine", "create database mine", "create extension plpgsql_check",
			"alter function wallet.balance security invoker", "create or replace function core.now() returns timestamptz language sql as 'select null::timestamptz'",
			"grant execute on function ledger._post to current_user", "alter default privileges for role atlas_owner grant all on tables to public",
			"copy (select 1) to program 'true'", "select pg_read_file('/etc/passwd')", "select * from pg_authid", "alter system set fsync = off",
			"select lo_import('/etc/passwd')", "set session_replication_role = replica",
		} {
			_, err := pool.Exec(ctx, attack)
			require.Contains(t, []string{"42501", "25006"}, desk.Code(err), "%s: %s", login, attack)
		}
		for _, other := range []string{"atlas_bot", "atlas_payments", "atlas_admin", "atlas_worker", "atlas_auditor", "atlas_dba"} {
			isMember := map[harness.Role]string{harness.BotLogin: "atlas_bot atlas_payments atlas_admin",
				harness.WorkerLogin: "atlas_worker atlas_payments", harness.AuditorLogin: "atlas_auditor", harness.DBALogin: "atlas_dba"}
			_, err := pool.Exec(ctx, "set role "+other+"; reset role")
			want := "42501"
			if strings.Contains(isMember[login], other) {
				want = ""
			}
			require.Equal(t, want, desk.Code(err), "%s: set role %s", login, other)
		}
	}
}

func TestX5NobodyMakesShadows(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	for role, pool := range b.pools() {
		for _, shadow := range []string{
			"create temp table wallet (telegram_id bigint)", "create temp view wallet as select 1", "create temp sequence s",
			"create type pg_temp.amount_kopecks as (a int)", "create domain pg_temp.d as text",
			"create function pg_temp.now() returns int language sql as 'select 1'", "select 1 into temp t",
			"create table public.wallet (a int)", "create function public.now() returns int language sql as 'select 1'",
			"create operator public.= (function = int8eq, leftarg = bigint, rightarg = bigint)", "create type public.t as (a int)",
			"create schema mine", "create function wallet.mine() returns int language sql as 'select 1'", "create table wallet.mine (a int)",
		} {
			_, err := pool.Exec(ctx, shadow)
			require.Equal(t, "42501", desk.Code(err), "%s: %s", role, shadow)
		}
	}
}

// TestX5ShadowsDoNothing lets a DBA make what nobody may, in front of everything, and calls every function.
func TestX5ShadowsDoNothing(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	super, err := pgx.Connect(ctx, w.harness.DSN(harness.Superuser))
	require.NoError(t, err)
	defer func() { _ = super.Close(ctx) }()
	_, err = super.Exec(ctx, fmt.Sprintf("grant temp on database %s to atlas_dba; grant create, usage on schema public to atlas_dba",
		w.harness.Database))
	require.NoError(t, err)
	shadows := `set search_path = pg_temp, public, pg_catalog;
		create function public.trap() returns int language plpgsql as 'begin raise exception ''shadow''; end';`
	for _, row := range w.owner.Query(`
		select distinct c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'v', 'S') and n.nspname !~ '^pg_|^information_schema$|^public$'`) {
		shadows += fmt.Sprintf(`create temp table %q (telegram_id int default public.trap());`, row["name"])
	}
	for _, row := range w.owner.Query(`
		select distinct t.typname::text as name from pg_type t join pg_namespace n on n.oid = t.typnamespace
		where t.typtype in ('d', 'e') and t.typname not in (select c.relname from pg_class c) and n.nspname !~ '^pg_|^information_schema$|^public$'`) {
		shadows += fmt.Sprintf(`create domain pg_temp.%q as text check (public.trap() = 0);`, row["name"])
	}
	for _, signature := range []string{
		"now()", "clock_timestamp()", "gen_random_uuid()", "least(bigint, bigint)", "format(text, text)", "length(text)", "left(text, int)",
		"pg_advisory_xact_lock(bigint)", "current_setting(text)", "current_setting(text, boolean)", "nextval(regclass)",
		"jsonb_build_object(text, text)", "to_char(timestamp, text)", "sha256(bytea)", "cardinality(text[])", "count(bigint)",
	} {
		name, arguments, _ := strings.Cut(signature, "(")
		shadows += fmt.Sprintf(`create function public.%q(%s returns int language sql as 'select public.trap()';`, name, arguments)
	}
	for i, operator := range []string{"=", "<>", "<", "<=", ">", ">=", "+", "-", "*"} {
		for _, of := range []string{"bigint", "int", "text", "timestamptz", "uuid", "smallint"} {
			shadows += fmt.Sprintf(`create function public.trap_%d(a %[2]s, b %[2]s) returns boolean language sql as 'select public.trap() = 0';
				create operator public.%[3]s (function = public.trap_%[1]d, leftarg = %[2]s, rightarg = %[2]s);`, i, of, operator)
		}
	}
	conn, err := w.harness.DBA.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(ctx, shadows)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "select 1::bigint = 1::bigint")
	require.ErrorContains(t, err, "shadow", "the trap works")
	for _, f := range catalogue() {
		args := f.args(w)
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		_, err = w.On(t, tx).Try(f.name, args)
		require.NoError(t, tx.Rollback(ctx))
		require.NoError(t, err, f.name)
	}
	_, err = conn.Exec(ctx, "discard all")
	require.NoError(t, err)
}
