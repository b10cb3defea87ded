-- Takes one's own request for corporate access back.
-- Locks: user.
-- Raises: CO001, CO003, US001, 22023, OP001.
create or replace function account.cancel_corporate(p_telegram_id bigint, p_request_id bigint)
returns table (request_id bigint, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_request_id is not null, 'p_request_id: the id from request_corporate');
  return query
  select p_request_id,
         account._close_corporate(p_telegram_id, p_request_id, p_telegram_id,
                                  'account.cancel_corporate');
end
$$;

comment on function account.cancel_corporate is
  'Possible for a blocked user too. Its own key: a second call is a replay.';

grant execute on function account.cancel_corporate to atlas_bot, atlas_dba;
