-- Refuses arguments that name no attempt.
-- Locks: none.
-- Raises: 22023.
create or replace function broadcast._require_attempt(
  p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid)
returns void
language plpgsql
stable
as $$
begin
  perform core._require(p_broadcast_id is not null, 'p_broadcast_id: the id from claim');
  perform core._require(p_telegram_id is not null, 'p_telegram_id: the person from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');
end
$$;

comment on function broadcast._require_attempt is 'Checks what sent and failed are called with.';
