-- What a tariff and period would cost this user now.
-- Locks: none.
-- Raises: PU004, PR001, PR002, PR003, PR004, PR005, PR006, US001, 22023.
create or replace function billing.quote(
  p_telegram_id bigint, p_tariff text, p_months int, p_promo_code text)
returns table (
  list_kopecks bigint, discount_kind text, discount_percent int, price_kopecks bigint,
  subscription_expires_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
  v_code text;
begin
  perform core._require_user_id(p_telegram_id);
  perform billing._require_choice(p_tariff, p_months);
  v_code := promo._require_code(p_promo_code);
  if v_code is not null then
    perform promo._usable(p_telegram_id, v_code, v_now);
  end if;

  return query
  select p.list_kopecks, p.discount_kind::text, p.discount_percent, p.price_kopecks,
         subscription._add_months(subscription._start_after(
           v_now, p_tariff, s.tariff, s.expires_at, s.period), p_months)
  from billing._price(p_telegram_id, p_tariff, p_months, v_code, v_now) p
  left join subscription.subscription s on s.telegram_id = p_telegram_id;
end
$$;

comment on function billing.quote is
  'List price, the discount that won, the price in kopecks, and the end of the subscription if it'
  ' were paid now. A code is refused for the reasons of promo.validate even where another discount '
  'is larger. Reserves nothing. Reads only.';

grant execute on function billing.quote to atlas_bot, atlas_admin, atlas_dba;
