package property_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/property/model"
)

const patience = 30 * time.Second

// shop is the real thing: one connection to one database, emptied before every sequence.
type shop struct {
	conn    *pgx.Conn
	harness *harness.Bundle
	ids     map[model.Ref]any // what the database chose
	refs    map[string]model.Ref
}

// open gives a test a database whose clock is a setting of the session.
func open(t *testing.T) *shop {
	t.Helper()
	h := harness.New(t)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, h.DSN(harness.Superuser))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(ctx) })
	s := &shop{conn: conn, harness: h}
	s.exec(t, `
		create or replace function core.now() returns timestamptz language sql volatile as $$
		  select coalesce(nullif(current_setting('atlas.test_now', true), '')::timestamptz, clock_timestamp()) $$;
		update referral.level set from_paying = case level when 'silver' then 0 when 'gold' then 2 else 3 end;
		do $$ declare v_table regclass; begin -- what is append-only is emptied here
		  for v_table in select distinct t.tgrelid::regclass from pg_trigger t where not t.tgisinternal loop
		    execute format('alter table %s disable trigger user', v_table);
		  end loop;
		end $$`)
	return s
}

func (s *shop) exec(t testing.TB, sql string) {
	t.Helper()
	_, err := s.conn.Exec(context.Background(), sql)
	require.NoError(t, err, sql)
}

// empty deletes all rows but those that come with the migrations; tables that refer to others go first.
const empty = `
do $$
declare
  v_table text;
begin
  for v_table in
    select format('%I.%I', n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('account', 'wallet', 'ledger', 'promo', 'billing', 'subscription', 'referral',
      'withdrawal', 'outbox', 'inbox', 'audit', 'ops')
      and (n.nspname, c.relname) not in (('billing', 'tariff'), ('billing', 'tariff_price'), ('billing', 'provider'),
        ('billing', 'topup_preset'), ('referral', 'level'), ('ops', 'setting'), ('ops', 'feature'), ('ops', 'scheduled_job'))
    order by exists (select 1 from pg_constraint f where f.conrelid = c.oid and f.contype = 'f') desc
  loop
    execute 'delete from ' || v_table;
  end loop;
end $$`

// reset empties the shop and lets the model's users in.
func (s *shop) reset(w *model.World) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.ids, s.refs = map[model.Ref]any{}, map[string]model.Ref{}
	if _, err := s.conn.Exec(ctx, empty); err != nil {
		return fmt.Errorf("empty the shop: %w", err)
	}
	codes := map[int]string{}
	at := w.Now.Add(-time.Hour)
	for _, id := range slices.Sorted(maps.Keys(w.Users)) {
		at = at.Add(time.Second)
		payload := ""
		if referrer := w.Users[id].Referrer; referrer != 0 {
			payload = "ref_" + codes[referrer]
		}
		if _, err := s.at(at, "account.register", model.Args{"p_telegram_id": id, "p_username": nil,
			"p_language": "ru", "p_start_payload": payload}); err != nil {
			return fmt.Errorf("register %d: %w", id, err)
		}
		if w.Admins[id] {
			if _, err := s.at(at, "account.grant_admin", model.Args{"p_telegram_id": id, "p_note": "founder"}); err != nil {
				return fmt.Errorf("admin %d: %w", id, err)
			}
		}
		rows, err := s.at(at, "account.profile", model.Args{"p_telegram_id": id})
		if err != nil || len(rows) != 1 {
			return fmt.Errorf("profile of %d: %w", id, err)
		}
		codes[id] = rows[0]["referral_code"].(string)
	}
	return nil
}

// at calls a function at a moment: one round trip, one transaction.
func (s *shop) at(now time.Time, function string, args model.Args) ([]desk.Row, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	names := slices.Sorted(maps.Keys(args))
	list := make([]string, len(names))
	values := make([]any, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%s => $%d", name, i+1)
		values[i] = s.real(args[name])
	}
	batch := &pgx.Batch{}
	batch.Queue("select set_config('atlas.test_now', $1, false)", model.Stamp(now)+"Z")
	batch.Queue(fmt.Sprintf("select * from %s(%s)", function, strings.Join(list, ", ")), values...)
	results := s.conn.SendBatch(ctx, batch)
	defer func() { _ = results.Close() }()
	if _, err := results.Exec(); err != nil {
		return nil, err
	}
	found, err := results.Query()
	if err != nil {
		return nil, err
	}
	rows, err := collect(found)
	if err == nil {
		err = results.Close()
	}
	return rows, err
}

func collect(found pgx.Rows) ([]desk.Row, error) {
	defer found.Close()
	rows := []desk.Row{}
	for found.Next() {
		values, err := found.Values()
		if err != nil {
			return nil, err
		}
		row := desk.Row{}
		for i, column := range found.FieldDescriptions() {
			row[column.Name] = desk.Plain(values[i])
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

// real is an argument as the database knows it.
func (s *shop) real(value any) any {
	ref, isRef := value.(model.Ref)
	if !isRef {
		return value
	}
	if id, isBound := s.ids[ref]; isBound {
		return id
	}
	switch ref.Kind {
	case "purchase", "draft":
		return "00000000-0000-4000-8000-000000000000"
	case "code":
		return "NEVERISSUED"
	default:
		return 987654321
	}
}

// same compares a value of an answer with what the model says, and learns ids.
func (s *shop) same(want, got any) bool {
	switch v := want.(type) {
	case model.Ref:
		if id, isBound := s.ids[v]; isBound {
			return id == got
		}
		if _, isTaken := s.refs[fmt.Sprint(v.Kind, " ", got)]; isTaken || got == nil {
			return false // one id for two things
		}
		s.ids[v], s.refs[fmt.Sprint(v.Kind, " ", got)] = got, v
		return true
	case time.Time:
		at, isTime := got.(time.Time)
		return isTime && at.Equal(v)
	default:
		return want == got
	}
}

// state is model.World.State as the database has it.
func (s *shop) state() (map[string]string, error) {
	rows, err := s.query(books)
	if err != nil {
		return nil, err
	}
	lines := map[string]string{}
	for _, row := range rows {
		if place, isRenewal := row["renewal"].(int); isRenewal { // no call has named it
			ref := model.Ref{Kind: "purchase", Name: fmt.Sprint(row["owner"], " renewal ", place)}
			s.same(ref, row["id"])
		}
		kind, id := row["kind"].(string), row["id"].(string)
		if ref, isBound := s.refs[kind+" "+id]; isBound {
			id = ref.Name
		}
		lines[kind+" "+id] = row["line"].(string)
	}
	return lines, nil
}

const books = `
select 'wallet' as kind, w.telegram_id::text as id,
       concat_ws(' ', w.available_kopecks, w.held_kopecks, w.debt_kopecks) as line,
       null::bigint as renewal, null::bigint as owner
from wallet.wallet w
union all
select 'subscription', s.telegram_id::text,
       concat_ws(' ', s.tariff, s.period, to_char(s.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
                 s.auto_renew::text), null, null
from subscription.subscription s
union all
select 'purchase', u.purchase_id::text, u.status::text,
       case when u.renews_expires_at is not null
         then count(u.renews_expires_at) over (partition by u.telegram_id order by u.provision_task_id) end,
       u.telegram_id
from billing.purchase u
union all
select 'payment', p.payment_id::text, concat_ws(' ', p.outcome, p.credited_kopecks), null, null from billing.payment p
union all
select 'withdrawal', d.withdrawal_id::text, d.status::text, null, null from withdrawal.withdrawal d
union all
select 'code', c.code, (select count(*) from promo.use u where u.promo_id = c.promo_id)::text, null, null
from promo.code c`

// balanced demands that the books are right, and the seal intact.
func (s *shop) balanced() error {
	rows, err := s.query("select check_name, subject, detail from ops.reconcile()")
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		return fmt.Errorf("the books are wrong: %v", rows)
	}
	if _, err = s.query("select sealed from audit.seal(100000)"); err != nil {
		return err
	}
	rows, err = s.query("select first_bad from audit.verify() where not is_intact")
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		return fmt.Errorf("the seal is broken: %v", rows)
	}
	return nil
}

func (s *shop) query(sql string) ([]desk.Row, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found, err := s.conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return collect(found)
}

// differences are the lines that two states do not share.
func differences(want, got map[string]string) []string {
	list := []string{}
	for key, line := range want {
		if got[key] != line {
			list = append(list, fmt.Sprintf("%s: model %q, database %q", key, line, got[key]))
		}
	}
	for key, line := range got {
		if _, isWanted := want[key]; !isWanted {
			list = append(list, fmt.Sprintf("%s: not in the model, database %q", key, line))
		}
	}
	sort.Strings(list)
	return list
}
