-- Finds users by their number or by the beginning of their name, for admins.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function account.find_users(p_admin_id bigint, p_query text, p_limit int)
returns table (
  telegram_id bigint, username text, is_blocked boolean, registered_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_query text := lower(ltrim(p_query, '@'));
begin
  perform core._require(
    length(v_query) between 1 and 64 and p_query !~ '[[:cntrl:]]',
    'p_query: a number, or the beginning of a name, 1 to 64 characters');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  (select a.telegram_id::bigint, a.username, a.is_blocked, a.registered_at
   from account.account a
   where a.telegram_id = case when v_query ~ '^[0-9]{1,16}$' then v_query::bigint end)
  union all
  (select a.telegram_id::bigint, a.username, a.is_blocked, a.registered_at
   from account.account a
   where lower(a.username) ~>=~ v_query and lower(a.username) ~<~ (v_query || chr(1114111))
   order by lower(a.username) using ~<~, a.telegram_id
   limit p_limit)
  limit p_limit;
end
$$;

comment on function account.find_users is
  'Who has that number, then whose name begins so, the exact name first, in upper or lower case, '
  'with or without @. Names are as they were at the last /start. Reads only.';

grant execute on function account.find_users to atlas_admin, atlas_dba;
