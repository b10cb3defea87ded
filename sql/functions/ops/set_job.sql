-- Changes when a job runs, or whether it runs at all.
-- Locks: ops.scheduled_job row.
-- Raises: 22023, OP001.
create or replace function ops.set_job(p_name text, p_schedule text, p_is_enabled boolean)
returns table (name text, schedule text, is_enabled boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require(
    p_schedule is null
      or length(p_schedule) <= 64
         and p_schedule ~ '^([1-9][0-9]{0,4} seconds|[-0-9*/,]+( [-0-9A-Za-z*/,]+){4})$',
    'p_schedule: null to keep it, "N seconds", or five cron fields (UTC)');

  return query
  update ops.scheduled_job j
  set schedule = coalesce(p_schedule, j.schedule),
      is_enabled = coalesce(p_is_enabled, j.is_enabled),
      next_run_at = case when p_schedule is null then j.next_run_at end
  where j.name = p_name
  returning j.name, j.schedule, j.is_enabled;
  perform core._require(found, 'p_name: a name in ops.job');

  perform audit._record('ops.set_job', null, p_name, jsonb_strip_nulls(jsonb_build_object(
    'schedule', p_schedule, 'is_enabled', p_is_enabled, 'by', session_user)));
end
$$;

comment on function ops.set_job is
  'Workers follow within a second. Null keeps what is there: select * from ops.set_job(p_name => '
  '''notify.send'', p_schedule => null, p_is_enabled => false);';

grant execute on function ops.set_job to atlas_dba;
