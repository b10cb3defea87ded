-- Fixes the price of a new purchase and reserves the use of its promo code.
-- Locks: promo.use (row exclusive), the number taken; the caller holds the user's lock.
-- Raises: PU004, PR001, PR002, PR003, PR004, PR005, US001.
create or replace function billing._open(
  p_telegram_id bigint, p_tariff text, p_months int, p_code text, p_idempotency_key text)
returns uuid
language plpgsql
volatile
as $$
declare
  v_now timestamptz;
  v_price record;
  v_id uuid := gen_random_uuid();
begin
  if p_code is not null then
    -- Before the terms are read, so that they hold until the end: buyers do not exclude each
    -- other; promo.set_limit and promo.disable wait for them, and they for those.
    lock table promo.use in row exclusive mode;
  end if;
  v_now := core.now();

  select p.list_kopecks, p.discount_kind, p.discount_percent, p.price_kopecks, p.promo_id
  into v_price
  from billing._price(p_telegram_id, p_tariff, p_months, p_code, v_now) p;
  if v_price.promo_id is not null then
    perform promo._reserve(p_telegram_id, v_id, v_price.promo_id, v_now);
  elsif p_code is not null then
    perform promo._usable(p_telegram_id, p_code, v_now);
  end if;

  insert into billing.purchase (
    telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind,
    discount_percent, price_kopecks, promo_code, promo_id, quoted_expires_at, idempotency_key,
    opened_at, expires_at, expiry_check_at)
  select p_telegram_id, v_id, 'subscription', 'open', p_tariff, p_months, v_price.list_kopecks,
         v_price.discount_kind, v_price.discount_percent, v_price.price_kopecks, p_code,
         v_price.promo_id,
         subscription._add_months(subscription._start_after(
           v_now, p_tariff, s.tariff, s.expires_at, s.period), p_months),
         p_idempotency_key, v_now, l.expires_at, l.expires_at
  from billing._lifetime(v_now) l (expires_at)
  left join subscription.subscription s on s.telegram_id = p_telegram_id;
  return v_id;
end
$$;

comment on function billing._open is
  'Inserts the purchase of billing.open_purchase. The code, in canonical form, is kept whether or '
  'not it won; only a winner has promo_id and a use.';
