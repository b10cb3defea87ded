-- Ends an update that was handled.
-- Locks: inbox.update row.
-- Raises: 22023, OP001.
create or replace function inbox.done(p_update_id bigint, p_lease_token uuid)
returns table (is_done boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard();
  perform core._require(p_update_id is not null, 'p_update_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');

  update inbox.update u
  set finished_at = core.now(), leased_until = null
  where u.update_id = p_update_id and u.lease_token = p_lease_token and u.finished_at is null;

  return query
  select exists (select 1 from inbox.update u
                 where u.update_id = p_update_id and u.lease_token = p_lease_token
                   and u.finished_at is not null);
end
$$;

comment on function inbox.done is
  'The update was handled. is_done is false when the lease was lost. Safe to call again.';

grant execute on function inbox.done to atlas_bot, atlas_dba;
