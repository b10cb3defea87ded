-- Takes or renews the leadership of something.
-- Locks: lease row.
-- Raises: 22023, OP001.
create or replace function ops.acquire_lease(p_name text, p_holder text, p_ttl interval)
returns table (epoch bigint)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_lease record;
  v_now timestamptz;
begin
  perform core._guard();
  perform core._require(length(p_name) between 1 and 128, 'p_name: 1 to 128 characters');
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');
  perform core._require(p_ttl between interval '1 second' and interval '1 hour',
                        'p_ttl: 1 second to 1 hour');

  insert into ops.lease (name, epoch, expires_at)
  values (p_name, 0, '-infinity')
  on conflict on constraint lease_pkey do nothing;

  select l.holder, l.epoch, l.expires_at, l.since into strict v_lease
  from ops.lease l
  where l.name = p_name
  for no key update;
  v_now := core.now();

  if v_lease.expires_at <= v_now then
    v_lease.epoch := v_lease.epoch + 1;
    v_lease.since := v_now;
  elsif v_lease.holder is distinct from p_holder then
    return query select null::bigint;
    return;
  end if;

  update ops.lease l
  set holder = p_holder, epoch = v_lease.epoch, expires_at = v_now + p_ttl, since = v_lease.since
  where l.name = p_name;
  return query select v_lease.epoch;
end
$$;

comment on function ops.acquire_lease is
  'Gives the epoch of the leadership, or null while somebody else has it. The holder''s renewal '
  'keeps its epoch; every new leadership has a higher one, and the *_due functions refuse older '
  'ones (OP002).';

grant execute on function ops.acquire_lease to atlas_bot, atlas_worker, atlas_dba;
