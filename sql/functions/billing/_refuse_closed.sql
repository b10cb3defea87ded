-- Says how and when a purchase ended that is not open any more.
-- Locks: none.
-- Raises: PU003.
create or replace function billing._refuse_closed(p_telegram_id bigint, p_purchase_id uuid)
returns void
language plpgsql
stable
as $$
declare
  v_detail text;
begin
  select format('purchase_id %s is %s: %s at %s', u.purchase_id, u.status,
                coalesce('paid with ' || u.paid_with, 'closed'), u.closed_at)
  into v_detail
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  perform core._refuse('PU003', v_detail);
end
$$;

comment on function billing._refuse_closed is 'What became of it, and when, goes to DETAIL.';
