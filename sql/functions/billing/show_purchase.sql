-- One purchase, as its screen shows it.
-- Locks: none.
-- Raises: PU001, 22023.
create or replace function billing.show_purchase(p_telegram_id bigint, p_purchase_id uuid)
returns table (
  purchase_id uuid, kind text, status text, tariff text, months int, list_kopecks bigint,
  discount_kind text, discount_percent int, price_kopecks bigint, expires_at timestamptz,
  subscription_expires_at timestamptz, provider text, invoice_id text,
  offer_id uuid, keeps_key boolean, seconds_left int, switch_kind text)
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
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');

  return query
  select u.purchase_id, u.kind::text,
         case when u.status = 'open' and u.expires_at <= v_now then 'expired'
              else u.status::text end,
         u.tariff, u.months::int, u.list_kopecks::bigint, u.discount_kind::text,
         u.discount_percent::int, u.price_kopecks::bigint, u.expires_at,
         coalesce(u.after_expires_at, u.quoted_expires_at), i.provider, i.invoice_id,
         p.offer_id, coalesce(u.before_expires_at > u.closed_at, false),
         greatest(ceil(date_part('epoch', u.expires_at - v_now)), 0)::int,
         case when u.status = 'open' then subscription._switch_kind(
           u.telegram_id, u.tariff, v_now) end
  from billing.purchase u
  left join billing.tariff_price p on p.tariff = u.tariff and p.months = u.months
  left join lateral (
    select n.provider, n.invoice_id
    from billing.invoice n
    where n.telegram_id = u.telegram_id and n.purchase_id = u.purchase_id
    order by n.attached_at desc limit 1) i on true
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
end
$$;

comment on function billing.show_purchase is
  'A purchase with its price, status and latest invoice; keeps_key: it was paid while a '
  'subscription was in force, whose key goes on; seconds_left: until expires_at, by the clock that '
  'decides; switch_kind, of one that is open: up or down to another tariff than the one in force, '
  'or in place of a trial. Reads only.';

grant execute on function billing.show_purchase to atlas_bot, atlas_admin, atlas_dba;
