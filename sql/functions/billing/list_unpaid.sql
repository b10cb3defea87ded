-- A user's purchases that money may have come for past the providers, newest first.
-- Locks: none.
-- Raises: US001, US003, 22023.
create or replace function billing.list_unpaid(
  p_admin_id bigint, p_telegram_id bigint, p_limit int)
returns table (
  purchase_id uuid, kind text, status text, tariff text, months int, price_kopecks bigint,
  opened_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');
  perform account._only_admins(p_admin_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select u.purchase_id, u.kind::text,
         case when u.status = 'open' and u.expires_at <= v_now then 'expired'
              else u.status::text end,
         u.tariff, u.months::int, u.price_kopecks::bigint, u.opened_at
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.status in ('open', 'expired', 'cancelled')
  order by u.opened_at desc, u.purchase_id
  limit p_limit;
end
$$;

comment on function billing.list_unpaid is
  'For admins only: open, expired and cancelled; money that comes late is honoured. Reads only.';

grant execute on function billing.list_unpaid to atlas_admin, atlas_dba;
