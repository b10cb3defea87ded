-- What each provider would ask for a purchase, and whether it may be offered.
-- Locks: none.
-- Raises: PU001, 22023.
create or replace function billing.ways_to_pay(p_telegram_id bigint, p_purchase_id uuid)
returns table (
  provider text, amount_minor bigint, currency text, is_offered boolean, refusal text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_purchase record;
  v_now timestamptz := core.now();
  v_star_kopecks bigint := ops._setting_value('star_kopecks');
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');

  select u.price_kopecks, u.status = 'open' and u.expires_at > v_now as is_open into v_purchase
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;

  return query
  select w.provider, w.amount_minor, w.currency, w.refusal is null, w.refusal
  from (
    select p.provider,
           coalesce(i.amount_minor,
                    case p.currency when 'XTR'
                      then (v_purchase.price_kopecks + v_star_kopecks - 1) / v_star_kopecks
                      else v_purchase.price_kopecks end) as amount_minor,
           p.currency,
           case when not v_purchase.is_open then 'not_open'
                when not p.is_offered then 'switched_off'
                when v_purchase.price_kopecks = 0 then 'free'
                when v_purchase.price_kopecks < p.minimum_kopecks then 'below_minimum'
           end as refusal
    from billing.provider p
    left join lateral (
      select n.amount_minor from billing.invoice n
      where n.telegram_id = p_telegram_id and n.purchase_id = p_purchase_id
        and n.provider = p.provider
      order by n.attached_at limit 1) i on true
    where p.is_settled_by_event
  ) w
  order by w.provider;
end
$$;

comment on function billing.ways_to_pay is
  'One row per provider. amount_minor is what its invoice has to ask: kopecks, or whole Stars '
  'rounded up, fixed once an invoice is attached. refusal: null, not_open, switched_off, free (no'
  ' provider is needed), below_minimum. Reads only.';

grant execute on function billing.ways_to_pay to atlas_bot, atlas_dba;
