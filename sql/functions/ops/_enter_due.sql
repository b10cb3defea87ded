-- First line of every *_due function: guards, then takes the job's own lock and checks the epoch.
-- Locks: lease row.
-- Raises: OP001, OP002, OP003, 22023.
create or replace function ops._enter_due(p_job_name text, p_epoch bigint, p_limit int)
returns void
language plpgsql
volatile
as $$
declare
  v_epoch bigint;
begin
  perform core._guard('workers');
  perform core._require(p_limit between 1 and 100000, 'p_limit: 1 to 100000');

  insert into ops.lease (name, epoch, expires_at)
  values (p_job_name, 0, '-infinity')
  on conflict on constraint lease_pkey do nothing;

  select l.epoch into strict v_epoch
  from ops.lease l
  where l.name = p_job_name
  for no key update;
  if p_epoch <> v_epoch or p_epoch < 1 then -- 0: nobody has led yet
    perform core._refuse('OP002', format('%s: epoch is %s, not %s', p_job_name, v_epoch, p_epoch));
  end if;
end
$$;

comment on function ops._enter_due is
  'Two runs of a job take turns; one with an old epoch is refused. A null epoch is a run by hand '
  'or by pg_cron.';
