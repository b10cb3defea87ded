-- Reckons the figures of today and yesterday, and of days that are missing.
-- Locks: lease.
-- Raises: OP001, OP002, OP003, 22023.
create or replace function ops.figures_due(p_epoch bigint, p_limit int)
returns table (computed int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_today date;
  v_missing date[];
  v_day date;
begin
  perform ops._enter_due('ops.figures_due', p_epoch, p_limit);
  v_now := core.now();
  v_today := (v_now at time zone 'UTC')::date;

  select coalesce(array_agg(m.day), '{}') into v_missing
  from (
    select o.first + d.n as day
    from (select (min(u.registered_at) at time zone 'UTC')::date as first
          from account.account u) o
    cross join generate_series(0, v_today - 2 - o.first) d (n)
    where not exists (
      select 1 from ops.day_figure f where f.name = 'users_new' and f.day = o.first + d.n)
    order by d.n desc
    limit p_limit) m;

  foreach v_day in array v_missing || array[v_today - 1, v_today] loop
    delete from ops.day_figure f where f.day = v_day and f.name !~ '^now_';
    insert into ops.day_figure (name, day, value, computed_at)
    select o.name, v_day, o.value, v_now from ops._figures_of_day(v_day) o;
  end loop;
  delete from ops.day_figure f where f.day = v_today and f.name ~ '^now_';
  insert into ops.day_figure (name, day, value, computed_at)
  select n.name, v_today, n.value, v_now from ops._figures_now(v_now) n;

  return query select cardinality(v_missing);
end
$$;

comment on function ops.figures_due is
  'Days are UTC. A day is reckoned until it is over, and once more on the next; days before that '
  'are reckoned when they are missing, the latest first, p_limit of them a call: computed. Run '
  'twice it gives the same. p_epoch: of the lease ops.figures_due; null by hand.';

grant execute on function ops.figures_due to atlas_worker, atlas_dba;
