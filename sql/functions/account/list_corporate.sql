-- The requests for corporate access that wait, oldest first.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function account.list_corporate(p_admin_id bigint, p_limit int)
returns table (
  request_id bigint, telegram_id bigint, username text, company text, contact text,
  requested_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');

  return query
  select c.request_id, c.telegram_id::bigint, a.username, c.company, c.contact, c.requested_at
  from account.corporate_request c
  join account.account a on a.telegram_id = c.telegram_id
  where c.closed_at is null
  order by c.requested_at, c.request_id
  limit p_limit;
end
$$;

comment on function account.list_corporate is 'For admins only. Reads only.';

grant execute on function account.list_corporate to atlas_admin, atlas_dba;
