-- Notes that a broadcast has reached somebody.
-- Locks: broadcast.recipient row.
-- Raises: 22023, OP001.
create or replace function broadcast.sent(
  p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid)
returns table (telegram_id bigint, is_recorded boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard();
  perform broadcast._require_attempt(p_broadcast_id, p_telegram_id, p_lease_token);
  return query
  select p_telegram_id,
         broadcast._end(p_broadcast_id, p_telegram_id, p_lease_token, 'sent', null, null);
end
$$;

comment on function broadcast.sent is
  'is_recorded is false when the token names no attempt. Safe to call again.';

grant execute on function broadcast.sent to atlas_worker, atlas_dba;
