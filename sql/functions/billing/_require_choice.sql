-- Refuses a tariff, period or promo code that cannot be meant.
-- Locks: none.
-- Raises: 22023.
create or replace function billing._require_choice(
  p_tariff text, p_months int, p_promo_code text)
returns void
language plpgsql
stable
as $$
begin
  perform core._require(length(p_tariff) between 1 and 32, 'p_tariff: 1 to 32 characters');
  perform core._require(p_months between 1 and 36, 'p_months: 1 to 36');
  perform core._require(p_promo_code is null or length(p_promo_code) between 1 and 256,
                        'p_promo_code: null for none, or at most 256 characters');
end
$$;

comment on function billing._require_choice is 'Checks what quote and open_purchase are asked for.';
