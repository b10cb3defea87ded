-- Refuses to refund what is not a paid subscription purchase.
-- Locks: none; the caller holds the user's lock.
-- Raises: PU003.
create or replace function billing._require_paid(p_telegram_id bigint, p_purchase_id uuid)
returns bigint
language plpgsql
stable
as $$
declare
  v_purchase record;
begin
  select u.kind, u.status, u.price_kopecks, r.kind as refund_kind, r.actor_id, r.refunded_at
  into strict v_purchase
  from billing.purchase u
  left join billing.refund r on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;

  if v_purchase.kind = 'topup' then
    perform core._refuse('PU003', format('purchase_id %s is a top-up', p_purchase_id));
  elsif v_purchase.status = 'refunded' then
    perform core._refuse('PU003', format(
      'purchase_id %s: %s by %s at %s', p_purchase_id, v_purchase.refund_kind,
      coalesce('admin ' || v_purchase.actor_id, 'the provider'), v_purchase.refunded_at));
  elsif v_purchase.status <> 'paid' then
    perform core._refuse('PU003', format('purchase_id %s is %s', p_purchase_id,
                                         v_purchase.status));
  end if;
  return v_purchase.price_kopecks;
end
$$;

comment on function billing._require_paid is 'The price of a purchase that may be refunded.';
