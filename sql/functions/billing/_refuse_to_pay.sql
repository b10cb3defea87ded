-- Says why a purchase cannot be paid from the balance.
-- Locks: none.
-- Raises: US002, PU002, PU003.
create or replace function billing._refuse_to_pay(
  p_telegram_id bigint, p_purchase_id uuid, p_kind billing.purchase_kind,
  p_status billing.purchase_status, p_expires_at timestamptz)
returns void
language plpgsql
stable
as $$
begin
  if p_kind = 'topup' then
    perform core._refuse('PU003', format('purchase_id %s is a top-up', p_purchase_id));
  elsif p_status in ('paid', 'refunded', 'cancelled') then
    perform billing._refuse_closed(p_telegram_id, p_purchase_id);
  elsif p_status = 'expired' or p_expires_at <= core.now() then
    perform core._refuse('PU002', format('purchase_id %s expired at %s',
                                         p_purchase_id, p_expires_at));
  else
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function billing._refuse_to_pay is
  'The refusals of pay_from_balance, once it is known that there is one.';
