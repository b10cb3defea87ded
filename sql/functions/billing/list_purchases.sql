-- What a user has bought, or is buying, newest first, for admins.
-- Locks: none.
-- Raises: PU001, US001, US003, 22023.
create or replace function billing.list_purchases(
  p_admin_id bigint, p_telegram_id bigint, p_before_id uuid, p_limit int)
returns table (
  purchase_id uuid, kind text, status text, tariff text, months int, price_kopecks bigint,
  opened_at timestamptz, paid_at timestamptz, paid_with text, can_be_refunded boolean,
  taken_back_at timestamptz, taken_back_by bigint, taken_back_reason text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_before_at timestamptz := 'infinity'::timestamptz;
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  if p_before_id is not null then
    select p.opened_at into v_before_at
    from billing.purchase p
    where p.telegram_id = p_telegram_id and p.purchase_id = p_before_id;
    if not found then
      perform core._refuse('PU001', format('purchase_id %s', p_before_id));
    end if;
  end if;

  return query
  select p.purchase_id, p.kind::text, p.status::text, p.tariff, p.months::int,
         p.price_kopecks::bigint, p.opened_at,
         case when p.status in ('paid', 'refunded') then p.closed_at end, p.paid_with,
         p.status = 'paid' and p.kind = 'subscription', r.refunded_at, r.actor_id, r.reason
  from billing.purchase p
  left join billing.refund r
    on r.telegram_id = p.telegram_id and r.purchase_id = p.purchase_id
  where p.telegram_id = p_telegram_id and p.status in ('open', 'paid', 'refunded')
    and (p.opened_at, p.purchase_id) < (v_before_at, coalesce(p_before_id, p.purchase_id))
  order by p.opened_at desc, p.purchase_id desc
  limit p_limit;
end
$$;

comment on function billing.list_purchases is
  'Without those that expired or were cancelled unpaid. taken_back_by: the admin, or null for the '
  'provider. The next page begins before the last purchase seen. Reads that user''s rows only.';

grant execute on function billing.list_purchases to atlas_admin, atlas_dba;
