-- Finds referrers by their code or link, number or name, for admins.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function referral.search(p_admin_id bigint, p_query text, p_limit int)
returns table (telegram_id bigint, username text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_code text := coalesce(substring(p_query from 'ref_([0-9a-f]{16})$'),
                          substring(p_query from '^([0-9a-f]{16})$'));
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select f.telegram_id, f.username
  from account.find_users(p_admin_id, p_query, p_limit) f
  union
  select a.telegram_id::bigint, a.username
  from account.account a
  where a.referral_code = v_code
  limit p_limit;
end
$$;

comment on function referral.search is
  'What account.find_users finds, and whose code or link it is. Reads only.';

grant execute on function referral.search to atlas_admin, atlas_dba;
