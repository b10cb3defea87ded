-- Gives a provisioning job back uncounted: the node as a whole is down.
-- Locks: user, outbox.task row.
-- Raises: VP001, 22023, OP001.
create or replace function vpn.release_job(p_job_id bigint, p_lease_token uuid, p_error text)
returns table (next_attempt_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_job record;
begin
  perform core._guard();
  perform core._require(p_job_id is not null, 'p_job_id: the id from claim_jobs');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim_jobs');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');

  select l.telegram_id, l.is_leased, l.is_finished, l.given_back_until into v_job
  from outbox._lock_leased('provision', p_job_id, p_lease_token) l;
  if not v_job.is_leased or v_job.is_finished then
    perform core._refuse('VP001', format('job_id %s', p_job_id));
  end if;

  if v_job.given_back_until is null then
    v_job.given_back_until := outbox._retry(v_job.telegram_id, p_job_id, p_error,
                                            interval '3 seconds', 1);
  end if;
  return query select v_job.given_back_until;
end
$$;

comment on function vpn.release_job is
  'The node does not answer at all: no fault of the job, so the attempt is not counted; due again'
  ' in 3 seconds.';

grant execute on function vpn.release_job to atlas_worker, atlas_dba;
