-- Finds what an earlier call with this key opened; refuses the key for anything else.
-- Locks: none.
-- Raises: ID001.
create or replace function billing._find_opened(
  p_telegram_id bigint, p_kind billing.purchase_kind, p_idempotency_key text,
  p_tariff text, p_months int, p_promo_code text, p_amount_kopecks bigint)
returns uuid
language plpgsql
stable
as $$
declare
  v_first record;
begin
  select u.purchase_id, u.tariff, u.months, u.promo_code, u.price_kopecks into v_first
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.kind = p_kind
    and u.idempotency_key = p_idempotency_key;
  if not found then
    return null;
  end if;

  if (v_first.tariff, v_first.months, v_first.promo_code)
     is distinct from (p_tariff, p_months::smallint, p_promo_code)
     or (p_kind = 'topup' and v_first.price_kopecks <> p_amount_kopecks) then
    perform core._refuse('ID001', format('purchase_id %s has the key', v_first.purchase_id));
  end if;
  return v_first.purchase_id;
end
$$;

comment on function billing._find_opened is 'The purchase that has this key, or null.';
