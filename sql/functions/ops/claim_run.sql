-- Asks whether this worker is to run a job now.
-- Locks: lease row (exclusive jobs).
-- Raises: 22023, OP001.
create or replace function ops.claim_run(p_job_name text, p_holder text)
returns table (
  is_claimed boolean, epoch bigint, batch_size int, timeout_seconds int, schedule text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_job record;
  v_epoch bigint;
  v_is_due boolean;
begin
  perform core._guard();
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');

  select j.is_enabled, j.is_exclusive, j.batch_size, j.timeout_seconds, j.schedule into v_job
  from ops.scheduled_job j where j.name = p_job_name;
  perform core._require(found, 'p_job_name: a name in ops.job');

  if v_job.is_enabled and v_job.is_exclusive then
    v_epoch := (ops.acquire_lease(p_job_name, p_holder,
                                  make_interval(secs => v_job.timeout_seconds)));
    -- Under the lease nobody else moves next_run_at.
    select coalesce(j.next_run_at <= core.now(), true) into v_is_due
    from ops.scheduled_job j where j.name = p_job_name;
  end if;

  return query
  select v_job.is_enabled and (not v_job.is_exclusive or (v_epoch is not null and v_is_due)),
         v_epoch, v_job.batch_size, v_job.timeout_seconds, v_job.schedule;
end
$$;

comment on function ops.claim_run is
  'An exclusive job is claimed by the holder of the lease of its name, when it is due; its epoch '
  'goes to the job''s function. A parallel job may always run while it is enabled.';

grant execute on function ops.claim_run to atlas_worker, atlas_dba;
