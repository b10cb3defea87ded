-- Opens a purchase of VPN access: fixes its price and gives it an id.
-- Locks: user, promo.use (row exclusive), the number taken.
-- Raises: PU004, PR001, PR002, PR003, PR004, PR005, PR006, US001, US002, ID001, 22023, OP001,
--   OP003.
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
  v_code text;
  v_id uuid;
begin
  perform core._guard('payments');
  perform core._require_user_id(p_telegram_id);
  perform billing._require_choice(p_tariff, p_months);
  v_code := promo._require_code(p_promo_code);
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);

  v_id := billing._find_opened(p_telegram_id, 'subscription', p_idempotency_key,
                               p_tariff, p_months, v_code, null);
  if v_id is null then
    if v_is_blocked then
      perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
    end if;

    v_id := billing._open(p_telegram_id, p_tariff, p_months, v_code, p_idempotency_key);
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
  'subscription_expires_at is the end if it were paid now. With a promo code that wins, a use of '
  'it is reserved until the purchase is paid, cancelled or expired; past per_user_limit the own '
  'oldest open purchase with the code is cancelled and gives its use up. discount_kind tells '
  'whether the code won; one that cannot be used refuses even where it would lose. Idempotent by '
  'p_idempotency_key.';

grant execute on function billing.open_purchase to atlas_bot, atlas_dba;
