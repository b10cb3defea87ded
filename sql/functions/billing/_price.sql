-- The price for one user now: the largest discount wins, rounded half up to a kopeck, once.
-- Locks: none.
-- Raises: US001, PU004, PR001, PR002, PR004.
create or replace function billing._price(
  p_telegram_id bigint, p_tariff text, p_months int, p_promo_code text, p_now timestamptz,
  out list_kopecks bigint, out discount_kind billing.discount_kind, out discount_percent int,
  out price_kopecks bigint, out promo_id bigint)
language plpgsql
stable
as $$
declare
  v_vip_percent int;
  v_personal_percent int;
  v_promo record;
begin
  select case when a.is_vip then ops._setting_value('vip_discount_percent')::int else 0 end,
         case when a.discount_expires_at <= p_now then 0
              else coalesce(a.discount_percent, 0) end
  into v_vip_percent, v_personal_percent
  from account.account a
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  select p.list_kopecks into list_kopecks
  from billing.tariff_price p
  join billing.tariff t on t.tariff = p.tariff and t.is_on_sale
  where p.tariff = p_tariff and p.months = p_months;
  if not found then
    perform core._refuse('PU004', format('tariff %s, %s months', p_tariff, p_months));
  end if;

  discount_percent := greatest(v_vip_percent, v_personal_percent);
  discount_kind := case when discount_percent = 0 then 'none'
                        when v_vip_percent >= v_personal_percent then 'vip'
                        else 'personal' end::billing.discount_kind;

  if p_promo_code is not null then
    select t.promo_id, t.discount_percent into v_promo
    from promo._terms(p_promo_code, p_now) t;
    if v_promo.discount_percent > discount_percent then
      discount_percent := v_promo.discount_percent;
      discount_kind := 'promo';
      promo_id := v_promo.promo_id;
    end if;
  end if;
  price_kopecks := (list_kopecks * (100 - discount_percent) + 50) / 100;
end
$$;

comment on function billing._price is
  'What a tariff and period cost this user now. Discounts never stack. promo_id is null where the '
  'code, in canonical form, lost: a tie goes to the others.';
