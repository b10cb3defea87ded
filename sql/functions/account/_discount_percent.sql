-- The discount that a user has now without a promo code.
-- Locks: none.
-- Raises: nothing.
create or replace function account._discount_percent(p_telegram_id bigint, p_now timestamptz)
returns int
language plpgsql
stable
as $$
begin
  return (
    select greatest(
      case when a.is_vip then ops._setting_value('vip_discount_percent')::int else 0 end,
      case when a.discount_expires_at <= p_now then 0 else coalesce(a.discount_percent, 0) end)
    from account.account a
    where a.telegram_id = p_telegram_id);
end
$$;

comment on function account._discount_percent is
  'The larger of the VIP and the personal discount; 0 for none.';
