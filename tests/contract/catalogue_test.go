package contract_test

import (
	"context"
	"fmt"
	"math"
	"sort"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// function is what the contract says of one function, and how to call it well.
type function struct {
	name    string
	returns string          // the result columns, exactly
	allowed string          // the roles that may call it, beside atlas_dba, who may call all
	switche string          // the switch that turns it off
	reads   bool            // stable: any isolation level
	args    func(w world) A // a call that succeeds
	bad     map[string][]bad
}

// bad is values of one argument that must be refused with a SQLSTATE; an empty one means that they are accepted.
type bad struct {
	code   string
	values []any
}

func refuse(code string, values ...any) bad { return bad{code: code, values: values} }

func accept(values ...any) bad { return bad{values: values} }

var (
	long    = strings.Repeat("x", 10<<10)
	control = "a\n\x1b[31mb"
)

// usual is what is wrong with an argument of a name, unless the function says otherwise.
var usual = map[string][]bad{
	"p_telegram_id":    {refuse("22023", nil, 0, -1, 1<<52, math.MaxInt64), refuse("US001", nobody, 1<<52-1)},
	"p_admin_id":       {refuse("22023", nil), refuse("US003", 0, -1, math.MaxInt64, anna, nobody)},
	"p_amount_kopecks": {refuse("22023", nil, 0, -1, 1_000_000_000_001, math.MaxInt64)},
	"p_idempotency_key": {refuse("22023", nil, "", strings.Repeat("k", 129), long),
		accept(control, strings.Repeat("ы", 128))},
	"p_note":        {refuse("22023", nil, "", strings.Repeat("n", 1001), long), accept(control)},
	"p_holder":      {refuse("22023", nil, "", strings.Repeat("h", 257), long), accept(control)},
	"p_lease":       {refuse("22023", nil, "0", "-1 second", "61 minutes", "1 year")},
	"p_limit":       {refuse("22023", nil, 0, -1, 1001, math.MaxInt32), accept(1000)},
	"p_epoch":       {refuse("OP002", 0, -1, 2, math.MaxInt64), accept(nil)},
	"p_purchase_id": {refuse("22023", nil), refuse("PU001", unknown)},
	"p_lease_token": {refuse("22023", nil), accept(unknown)},
	"p_error":       {refuse("22023", nil, ""), accept(long, control)},
	"p_reason":      {refuse("22023", nil, "", strings.Repeat("r", 1001), long), accept(control)},
	"p_tariff":      {refuse("22023", nil, "", long), refuse("PU004", "gold", "BASIC", control)},
	"p_months":      {refuse("22023", nil, 0, -1, 37, math.MaxInt32), refuse("PU004", 2, 36)},
	"p_promo_code":  {refuse("PR006", "", "AB", long, control), refuse("PR001", "SALE"), accept(nil)},
}

// world is a database in which every function has something to do.
type world struct {
	*bundle
	open, paid           string
	job, message, update Row
	suspense             any
	draft, running       any // broadcasts
	request              any // for new keys
	recipient            Row
	export               Row
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{bundle: setup(t)}
	w.paid = w.Buy(anna, "basic", 1, "world-paid")["purchase_id"].(string)
	w.open = w.Open(anna, "plus", 1, "world-open")
	w.issue("HOT", 10)
	w.All("promo.issue_batch", batchOf(1, 5, "world"))
	w.job = w.One("vpn.claim_jobs", desk.ClaimArgs("w", 1))
	w.message = w.One("notify.claim", desk.ClaimArgs("w", 1))
	w.One("inbox.receive", A{"p_update_ids": []int{1, 2}, "p_chat_ids": []int{anna, bert},
		"p_payloads": []string{"{}", "{}"}})
	w.update = w.One("inbox.claim", desk.ClaimArgs("w", 1))
	w.suspense = w.Settle("lost", unknown, 500)["payment_id"]
	for _, job := range w.Query(`select name from ops.job where name like '%\_due' or name = 'ops.check_health'`) {
		w.One("ops.acquire_lease", A{"p_name": job["name"], "p_holder": "w", "p_ttl": "1 hour"})
	}
	w.prepareWithdrawals()
	w.One("account.request_corporate", corporate(anna, "world"))
	w.One("account.draft_action", drafted("world", "{}", "world"))
	w.drain("old-1")
	w.draft = w.One("broadcast.prepare", news("world-draft"))["broadcast_id"]
	w.running = w.broadcast("world-running", "all")
	w.recipient = w.One("broadcast.claim", desk.ClaimArgs("w", 1))
	w.One("ops.request_export", wanted("users", nil, "world"))
	w.export = w.claimExport()
	w.request = w.One("vpn.reissue_all", everybody("world"))["request_id"]
	w.One("vpn.cancel_reissue", A{"p_admin_id": boss, "p_request_id": w.request})
	return w
}

func catalogue() []function {
	all := []function{}
	for _, list := range [][]function{accountFunctions(), corporateFunctions(), walletFunctions(), billingFunctions(), moneyFunctions(), subscriptionFunctions(),
		vpnFunctions(), promoFunctions(), notifyFunctions(), inboxFunctions(), auditFunctions(), opsFunctions(),
		referralFunctions(), withdrawalFunctions(), broadcastFunctions(), systemFunctions(), jobFunctions(),
		promoAdminFunctions(), referralAdminFunctions(), adminMoneyFunctions(), figureFunctions(),
		exportFunctions(), everybodyFunctions()} {
		all = append(all, list...)
	}
	return all
}

// rolledBack runs a call as a role at an isolation level, gives its error and undoes it.
func (w world) rolledBack(role string, level pgx.TxIsoLevel, name string, args A) error {
	w.Helper()
	ctx := context.Background()
	tx, err := w.pools()[role].BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
	require.NoError(w, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = w.On(w, tx).Try(name, args)
	if err != nil {
		desk.Met(name, desk.Code(err))
	}
	return err
}

func TestCatalogueNamesEveryFunction(t *testing.T) {
	w := newWorld(t)
	listed := map[string]string{"core.now": "timestamp with time zone"}
	for _, f := range catalogue() {
		require.NotContains(t, listed, f.name)
		listed[f.name] = f.returns
		params := w.Query(`select unnest(p.proargnames[1:p.pronargs]) as name, unnest(p.proargtypes::regtype[]) as type
			from pg_proc p where p.oid = $1::regproc`, f.name)
		args := f.args(w)
		require.Len(t, args, len(params), f.name)
		for _, param := range params {
			require.Contains(t, args, param["name"], f.name)
			require.NotEmpty(t, f.wrong(param["name"].(string)), "%s: no bad values of %s", f.name, param["name"])
		}
	}
	there := map[string]string{}
	for _, row := range w.Query(`
		select p.oid::regproc::text as name, pg_get_function_result(p.oid) as returns
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where p.proname !~ '^_' and n.nspname !~ '^pg_|^information_schema$|^public$'`) {
		returns := strings.ReplaceAll(row["returns"].(string), "timestamp with time zone", "timestamptz")
		if row["name"] == "core.now" {
			returns = listed["core.now"]
		}
		there[row["name"].(string)] = strings.TrimSuffix(strings.TrimPrefix(returns, "TABLE("), ")")
	}
	require.Equal(t, there, listed)
}

// wrong is what must be tried for a parameter.
func (f function) wrong(param string) []bad {
	if own, ok := f.bad[param]; ok {
		return own
	}
	return usual[param]
}

func TestGoodCalls(t *testing.T) {
	w := newWorld(t)
	for _, f := range catalogue() {
		require.NoError(t, w.rolledBack("dba", pgx.ReadCommitted, f.name, f.args(w)), f.name)
	}
}

func TestBadArguments(t *testing.T) {
	w := newWorld(t)
	refusals := map[string]Row{}
	for _, row := range w.owner.Query("select * from core.refusal") {
		refusals[row["sqlstate"].(string)] = row
	}
	for _, f := range catalogue() {
		before := w.fingerprint()
		for param, value := range f.args(w) {
			for _, b := range f.wrong(param) {
				for _, wrong := range b.values {
					args := f.args(w).With(param, wrong)
					if b.code == "" {
						err := w.rolledBack("dba", pgx.ReadCommitted, f.name, args)
						require.NoError(t, err, "%s %s => %.80q", f.name, param, fmt.Sprint(wrong))
						continue
					}
					refusal := w.Refused(b.code, f.name, args)
					if known, ok := refusals[b.code]; ok {
						require.Equal(t, known["message"], refusal.Message)
						require.Equal(t, known["hint"], refusal.Hint)
						require.NotEmpty(t, refusal.Detail, "%s %s => %.80q", f.name, param, fmt.Sprint(wrong))
					}
				}
			}
			if _, isText := value.(string); isText {
				err := w.rolledBack("dba", pgx.ReadCommitted, f.name, f.args(w).With(param, "a\x00b"))
				require.Contains(t, []string{"22021", "22P02", "22007"}, desk.Code(err), "%s %s => NUL", f.name, param)
			}
		}
		require.Equal(t, before, w.fingerprint(), "%s: a refusal left something behind", f.name)
	}
}

// fingerprint changes when any row of any table does.
func (b *bundle) fingerprint() map[string]any {
	b.Helper()
	tables := b.owner.Query(`
		select format('select %L as name, md5(coalesce(string_agg(x::text, e''\n'' order by x::text), '''')) as sum from %s x',
		              c.oid::regclass, c.oid::regclass) as sql
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname !~ '^pg_|^information_schema$|^public$' order by c.oid`)
	parts := make([]string, len(tables))
	for i, table := range tables {
		parts[i] = table["sql"].(string)
	}
	sums := map[string]any{}
	for _, row := range b.owner.Query(strings.Join(parts, " union all ")) {
		sums[row["name"].(string)] = row["sum"]
	}
	return sums
}

func TestIsolationLevels(t *testing.T) {
	w := newWorld(t)
	for _, f := range catalogue() {
		want := "OP001"
		if f.reads {
			want = ""
		}
		for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
			require.Equal(t, want, desk.Code(w.rolledBack("dba", level, f.name, f.args(w))), "%s at %s", f.name, level)
		}
		volatility := w.Value("select provolatile::text from pg_proc where oid = $1::regproc", f.name)
		require.Equal(t, map[bool]string{true: "s", false: "v"}[f.reads], volatility, f.name)
	}
}

func TestRoles(t *testing.T) {
	w := newWorld(t)
	for role := range w.pools() {
		for _, f := range catalogue() {
			want := "42501"
			if role == "dba" || strings.Contains(" "+f.allowed+" ", " "+role+" ") {
				want = ""
			}
			require.Equal(t, want, desk.Code(w.rolledBack(role, pgx.ReadCommitted, f.name, f.args(w))), "%s as %s", f.name, role)
		}
	}
}

func TestHelpersAndTablesAreNobodys(t *testing.T) {
	w := newWorld(t)
	for role, pool := range w.pools() {
		seen := w.On(t, pool).Query(`
			select c.oid::regclass::text as name, p.privilege from pg_class c
			join pg_namespace n on n.oid = c.relnamespace
			cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p (privilege)
			where n.nspname !~ '^pg_|^information_schema$' and c.relkind in ('r', 'v')
			  and has_table_privilege(c.oid, p.privilege)
			union all
			select p.oid::regproc::text, 'execute' from pg_proc p join pg_namespace n on n.oid = p.pronamespace
			where p.proname ~ '^_' and n.nspname !~ '^pg_|^information_schema$' and has_function_privilege(p.oid, 'execute')
			union all
			select 'database', p.privilege from unnest(array['create', 'temp']) p (privilege)
			where has_database_privilege(current_database(), p.privilege)`)
		names := []string{}
		for _, row := range seen {
			names = append(names, row["name"].(string)+" "+row["privilege"].(string))
		}
		sort.Strings(names)
		views := map[string][]string{
			"admin": {"broadcast.progress select", "ops.component select", "ops.component_status select"},
			"worker": {"broadcast.progress select", "ops.component select", "ops.component_status select", "ops.dead_letter select",
				"ops.job select", "ops.job_run select", "ops.lock_wait select"},
			"auditor": {"audit.event select", "broadcast.progress select", "ops.component select", "ops.component_status select",
				"ops.dead_letter select", "ops.job select", "ops.job_run select", "ops.lock_wait select"},
			"dba": {"audit.event select", "broadcast.progress select", "ops.component select", "ops.component_status select",
				"ops.dead_letter select", "ops.job select", "ops.job_run select", "ops.lock_wait select"},
		}
		require.Equal(t, append([]string{}, views[role]...), names, role)
	}
}

func TestSwitches(t *testing.T) {
	w := newWorld(t)
	behind := map[string]bool{}
	for _, f := range catalogue() {
		if f.switche == "" {
			continue
		}
		behind[f.switche] = true
		w.One("ops.set_feature", A{"p_admin_id": boss, "p_name": f.switche, "p_is_on": false})
		require.Equal(t, f.switche, w.Refused("OP003", f.name, f.args(w)).Detail)
		w.One("ops.set_feature", A{"p_admin_id": boss, "p_name": f.switche, "p_is_on": true})
		require.NoError(t, w.rolledBack("dba", pgx.ReadCommitted, f.name, f.args(w)), f.name)
	}
	require.Equal(t, map[string]bool{"payments": true, "provisioning": true, "workers": true, "admin_actions": true,
		"trials": true, "withdrawals": true, "broadcasts": true}, behind)

	w.owner.Query("update ops.feature set is_on = false")
	for _, f := range catalogue() {
		want := ""
		if f.switche != "" {
			want = "OP003"
		}
		require.Equal(t, want, desk.Code(w.rolledBack("dba", pgx.ReadCommitted, f.name, f.args(w))),
			"%s with everything switched off", f.name)
	}
}
