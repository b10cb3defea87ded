-- A user's own withdrawals, newest first.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function withdrawal.latest(p_telegram_id bigint, p_limit int)
returns table (
  withdrawal_id bigint, status text, amount_kopecks bigint, requested_at timestamptz,
  ended_at timestamptz, reason text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select w.withdrawal_id, w.status::text, w.amount_kopecks::bigint, w.requested_at, w.ended_at,
         w.reason
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id
  order by w.withdrawal_id desc
  limit p_limit;
end
$$;

comment on function withdrawal.latest is
  'What became of a user''s requests; requisites are not shown. Reads only.';

grant execute on function withdrawal.latest to atlas_bot, atlas_admin, atlas_dba;
