-- Opens a purchase of VPN access: fixes its price and gives it an id.
-- Locks: user.
-- Raises: PU004, PR001, US001, US002, ID001, 22023, OP001, OP003.
create or replace function billing.open_purchase(
  p_telegram_id bigint, p_tariff text, p_months int, p_promo_code text, p_idempotency_key text)
returns table (
  purchase_id uuid, price_kopecks bigint, discount_kind text, discount_percent int,
  expires_at timestamptz, is_replay boolean, list_kopecks bigint,
  subscription_expires_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_id uuid;
begin
  perform core._guard('payments');
  perform core._require_user_id(p_telegram_id);
  perform billing._require_choice(p_tariff, p_months, p_promo_code);
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  v_id := billing._find_opened(p_telegram_id, 'subscription', p_idempotency_key,
                               p_tariff, p_months, p_promo_code, null);
  if v_id is null then
    if v_is_blocked then
      perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
    end if;

    insert into billing.purchase as u (
      telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind,
      discount_percent, price_kopecks, quoted_expires_at, idempotency_key, opened_at,
      expires_at, expiry_check_at)
    select p_telegram_id, gen_random_uuid(), 'subscription', 'open', p_tariff, p_months,
           p.list_kopecks, p.discount_kind, p.discount_percent, p.price_kopecks,
           subscription._add_months(subscription._start_after(
             v_now, p_tariff, s.tariff, s.expires_at, s.period), p_months),
           p_idempotency_key, v_now, l.expires_at, l.expires_at
    from billing._price(p_telegram_id, p_tariff, p_months, p_promo_code, v_now) p
    cross join billing._lifetime(v_now) l (expires_at)
    left join subscription.subscription s on s.telegram_id = p_telegram_id
    returning u.purchase_id into v_id;
    is_replay := false;
  else
    is_replay := true;
  end if;

  return query
  select u.purchase_id, u.price_kopecks::bigint, u.discount_kind::text, u.discount_percent::int,
         u.expires_at, open_purchase.is_replay, u.list_kopecks::bigint, u.quoted_expires_at
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = v_id;
end
$$;

comment on function billing.open_purchase is
  'Opens a purchase at the price of this moment; paying never recomputes it. Buttons and invoices'
  ' carry purchase_id and nothing else. It lives 30 minutes (setting purchase_lifetime_seconds). '
  'subscription_expires_at is the end if it were paid now. Idempotent by p_idempotency_key.';

grant execute on function billing.open_purchase to atlas_bot, atlas_dba;
