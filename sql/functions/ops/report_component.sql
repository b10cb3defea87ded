-- Notes whether something that the shop depends on answers; a change is told to the admins.
-- Locks: lease row (share), ops.dependency row.
-- Raises: 22023, OP001, OP002.
create or replace function ops.report_component(
  p_component text, p_state text, p_detail text, p_instance text, p_epoch bigint)
returns table (component text, state text, is_changed boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_was record;
  v_now timestamptz;
  v_failing_since timestamptz;
  v_state text;
begin
  perform core._guard();
  perform core._require(p_state in ('up', 'down'), 'p_state: up or down');
  perform core._require(length(p_instance) between 1 and 256, 'p_instance: 1 to 256 characters');
  if p_epoch is not null then
    perform 1 from ops.lease l
    where l.name = 'ops.check_health' and l.epoch = p_epoch
    for share;
    if not found then
      perform core._refuse('OP002', format('ops.check_health: epoch is not %s', p_epoch));
    end if;
  end if;

  select d.is_critical, d.state, d.since, d.failing_since, d.reported_at into v_was
  from ops.dependency d
  where d.component = p_component
  for no key update;
  perform core._require(found, 'p_component: a name in ops.component_status');
  v_now := core.now();

  -- Nobody can report that the database is away: a gap in the reports says so afterwards.
  if v_was.is_critical and v_was.state = 'up'
     and v_was.reported_at < v_now - interval '1 minute' then
    v_was.state := 'down';
    v_was.since := v_was.reported_at;
  end if;
  if p_state = 'down' then
    v_failing_since := coalesce(v_was.failing_since, v_now);
    v_state := case
      when v_now >= v_failing_since
             + make_interval(secs => ops._setting_value('component_patience_seconds')) then 'down'
      else v_was.state end;
  else
    v_state := 'up';
  end if;

  update ops.dependency d
  set state = v_state,
      since = case when v_state = v_was.state then v_was.since
                   else coalesce(v_failing_since, v_now) end,
      failing_since = v_failing_since,
      reported_at = v_now, reported_by = p_instance, detail = left(nullif(p_detail, ''), 500)
  where d.component = p_component;
  if v_state <> v_was.state then
    perform ops._tell_of_component(p_component, v_was.state, v_state,
                                   coalesce(v_failing_since, v_was.since), left(p_detail, 500));
  end if;

  return query select p_component, v_state, v_state <> v_was.state;
end
$$;

comment on function ops.report_component is
  'What does not answer counts as down after the setting component_patience_seconds; what answers '
  'is up at once. The change is told to the admins, whoever reports it and however often. p_epoch: '
  'of the lease ops.check_health; null by hand. Safe to call again.';

grant execute on function ops.report_component to atlas_worker, atlas_dba;
