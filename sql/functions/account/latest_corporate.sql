-- What became of a user's latest request for corporate access.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function account.latest_corporate(p_telegram_id bigint)
returns table (
  request_id bigint, company text, contact text, requested_at timestamptz,
  closed_at timestamptz, is_own_closing boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select c.request_id, c.company, c.contact, c.requested_at, c.closed_at,
         c.closed_by is not distinct from c.telegram_id
  from account.corporate_request c
  where c.telegram_id = p_telegram_id
  order by c.request_id desc
  limit 1;
end
$$;

comment on function account.latest_corporate is
  'No row: never asked, or long ago. closed_at is null while it waits; is_own_closing: the user '
  'took it back. Reads only.';

grant execute on function account.latest_corporate to atlas_bot, atlas_admin, atlas_dba;
