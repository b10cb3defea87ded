-- Reserves a use for a purchase that is being opened.
-- Locks: the number taken; the caller holds the user's lock and promo.use (row exclusive).
-- Raises: PR003, PR005.
create or replace function promo._reserve(
  p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamptz)
returns void
language plpgsql
volatile
as $$
declare
  v_refusal text := promo._take(p_telegram_id, p_purchase_id, p_promo_id, p_now);
begin
  if v_refusal = 'PR005' then
    perform core._refuse('PR005', format('promo_id %s, telegram_id %s',
                                         p_promo_id, p_telegram_id));
  elsif v_refusal is not null then
    perform core._refuse('PR003', format('promo_id %s', p_promo_id));
  end if;
end
$$;

comment on function promo._reserve is
  'The use is reserved while the purchase is open, consumed once it is paid, and deleted when it '
  'is cancelled or expires.';
