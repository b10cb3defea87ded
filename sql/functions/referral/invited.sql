-- Whom a user has invited, a page at a time.
-- Locks: none.
-- Raises: US001, US003, 22023.
create or replace function referral.invited(
  p_admin_id bigint, p_telegram_id bigint, p_before bigint, p_limit int)
returns table (
  telegram_id bigint, username text, registered_at timestamptz, pays_since timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select i.telegram_id::bigint, i.username, i.registered_at, p.since
  from account.account i
  left join referral.paying p
    on p.telegram_id = p_telegram_id and p.referred_id = i.telegram_id
  where i.referrer_id = p_telegram_id and (p_before is null or i.telegram_id < p_before)
  order by i.telegram_id desc
  limit p_limit;
end
$$;

comment on function referral.invited is
  'For admins only, by the number downwards from the index account_referrer; p_before is the last '
  'page''s last telegram_id. pays_since is null for who has not paid, or whose payment was not '
  'processed yet. Reads only.';

grant execute on function referral.invited to atlas_admin, atlas_dba;
