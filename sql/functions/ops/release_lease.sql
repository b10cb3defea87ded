-- Gives a leadership up.
-- Locks: lease row.
-- Raises: 22023, OP001.
create or replace function ops.release_lease(p_name text, p_holder text)
returns table (is_released boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard();
  perform core._require(length(p_name) between 1 and 128, 'p_name: 1 to 128 characters');
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');

  update ops.lease l
  set holder = null, expires_at = '-infinity'
  where l.name = p_name and l.holder = p_holder;

  return query select found;
end
$$;

comment on function ops.release_lease is
  'Lets the next one take the lease at once. is_released is false if it was not the holder''s. '
  'Safe to call again.';

grant execute on function ops.release_lease to atlas_bot, atlas_worker, atlas_dba;
