-- Notes how a job's run went, and when an exclusive job is due again.
-- Locks: lease row (share, exclusive jobs), ops.scheduled_job row.
-- Raises: 22023, OP001.
create or replace function ops.finish_run(
  p_job_name text, p_holder text, p_epoch bigint, p_started_at timestamptz, p_items int,
  p_error text, p_next_run_at timestamptz)
returns table (is_recorded boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := core.now();
begin
  perform core._guard();
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');
  perform core._require(p_started_at is not null, 'p_started_at: when the run began');
  perform core._require(p_items >= 0, 'p_items: 0 or more');
  perform core._require(exists (select 1 from ops.scheduled_job j where j.name = p_job_name),
                        'p_job_name: a name in ops.job');

  if p_epoch is not null then
    perform 1 from ops.lease l
    where l.name = p_job_name and l.epoch = p_epoch and l.holder = p_holder
    for share;
    if not found then
      return query select false;
      return;
    end if;
  end if;

  update ops.scheduled_job j
  set next_run_at = case when j.is_exclusive then p_next_run_at end,
      last_started_at = p_started_at, last_finished_at = v_now, last_items = p_items,
      last_error = left(p_error, 1000),
      consecutive_failures = case when p_error is null then 0 else j.consecutive_failures + 1 end
  where j.name = p_job_name;

  if p_items > 0 or p_error is not null then
    insert into ops.scheduled_job_run (
      job_name, holder, epoch, started_at, finished_at, items, error)
    values (p_job_name, p_holder, p_epoch, p_started_at, v_now, p_items, left(p_error, 1000));
  end if;

  return query select true;
end
$$;

comment on function ops.finish_run is
  'Only runs that did something or failed are kept in ops.job_run. is_recorded is false after the'
  ' lease was lost.';

grant execute on function ops.finish_run to atlas_worker, atlas_dba;
