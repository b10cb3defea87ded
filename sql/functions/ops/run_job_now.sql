-- Makes a job due at once.
-- Locks: account.admin row (share), ops.scheduled_job row.
-- Raises: US003, 22023, OP001, OP003.
create or replace function ops.run_job_now(p_admin_id bigint, p_name text)
returns table (name text, is_changed boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_job record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform account._require_admin(p_admin_id);

  select j.is_enabled and j.is_exclusive and j.next_run_at > core.now() as waits into v_job
  from ops.scheduled_job j
  where j.name = p_name
  for no key update;
  perform core._require(found, 'p_name: a name in ops.job');
  if v_job.waits then
    update ops.scheduled_job j set next_run_at = null where j.name = p_name;
    perform audit._record('ops.run_job_now', p_admin_id, p_name);
  end if;

  return query select p_name, coalesce(v_job.waits, false);
end
$$;

comment on function ops.run_job_now is
  'The worker that leads the job runs it within a second. is_changed is false where there was '
  'nothing to bring forward: the job is due already, is disabled, or runs in every worker all the '
  'time. A run in hand ends as it would have. Safe to call again.';

grant execute on function ops.run_job_now to atlas_admin, atlas_dba;
