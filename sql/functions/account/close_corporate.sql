-- Notes that a request for corporate access has been dealt with.
-- Locks: account.admin row (share), user.
-- Raises: CO001, CO003, US001, US003, 22023, OP001, OP003.
create or replace function account.close_corporate(
  p_admin_id bigint, p_telegram_id bigint, p_request_id bigint)
returns table (request_id bigint, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_request_id is not null, 'p_request_id: the id from request_corporate');
  perform account._require_admin(p_admin_id);
  return query
  select p_request_id,
         account._close_corporate(p_telegram_id, p_request_id, p_admin_id,
                                  'account.close_corporate');
end
$$;

comment on function account.close_corporate is
  'The user can ask anew from then on. Its own key: the same admin''s second call is a replay, '
  'another''s is CO003 with who and when in DETAIL.';

grant execute on function account.close_corporate to atlas_admin, atlas_dba;
