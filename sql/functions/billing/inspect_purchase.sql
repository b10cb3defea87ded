-- One purchase as an admin's screens show it.
-- Locks: none.
-- Raises: PU001, US003, 22023.
create or replace function billing.inspect_purchase(p_admin_id bigint, p_purchase_id uuid)
returns table (
  purchase_id uuid, telegram_id bigint, username text, kind text, status text, tariff text,
  months int, price_kopecks bigint, opened_at timestamptz, expires_at timestamptz,
  closed_at timestamptz, paid_with text, manual_kopecks bigint, manual_by bigint,
  manual_by_name text, manual_at timestamptz, manual_outcome text, refunded_kopecks bigint,
  refunded_by bigint, refunded_by_name text, refunded_at timestamptz, is_refundable boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform account._only_admins(p_admin_id);

  return query
  select u.purchase_id, u.telegram_id::bigint, a.username, u.kind::text,
         case when u.status = 'open' and u.expires_at <= v_now then 'expired'
              else u.status::text end,
         u.tariff, u.months::int, u.price_kopecks::bigint, u.opened_at, u.expires_at,
         u.closed_at, u.paid_with, m.amount_minor, n.telegram_id::bigint, n.username,
         m.received_at, m.outcome::text, r.refunded_kopecks::bigint, r.actor_id, b.username,
         r.refunded_at, u.status = 'paid' and u.kind = 'subscription'
  from billing.purchase u
  join account.account a on a.telegram_id = u.telegram_id
  left join billing.charge c
    on c.provider = 'manual' and c.charge_id = 'manual:' || u.purchase_id
  left join billing.payment m
    on m.telegram_id = c.telegram_id and m.payment_id = c.payment_id
  left join account.account n on n.telegram_id = (m.raw ->> 'admin')::bigint
  left join billing.refund r
    on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
  left join account.account b on b.telegram_id = r.actor_id
  where u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
end
$$;

comment on function billing.inspect_purchase is
  'For admins only: a purchase, who has confirmed its money by hand (manual_…) and who has given '
  'it back (refunded_…; a null refunded_by is the provider). Reads only.';

grant execute on function billing.inspect_purchase to atlas_admin, atlas_dba;
