-- What a message shows, as it is now.
-- Locks: none.
-- Raises: nothing.
create or replace function notify._arguments(
  p_telegram_id bigint, p_template text, p_purchase_id uuid, p_amount_kopecks bigint,
  p_arguments jsonb)
returns jsonb
language sql
stable
as $$
  select jsonb_strip_nulls(jsonb_build_object(
           'purchase_id', u.purchase_id,
           'price_kopecks', u.price_kopecks,
           'tariff', coalesce(u.tariff, s.tariff),
           'months', u.months,
           'expires_at', coalesce(u.after_expires_at, s.expires_at),
           'amount_kopecks', p_amount_kopecks,
           'available_kopecks', w.available_kopecks,
           'key_uri', case p_template when 'key_ready' then s.key_uri end))
         || coalesce(p_arguments, '{}')
  from wallet.wallet w
  left join subscription.subscription s on s.telegram_id = w.telegram_id
  left join billing.purchase u on u.telegram_id = w.telegram_id and u.purchase_id = p_purchase_id
  where w.telegram_id = p_telegram_id
$$;

comment on function notify._arguments is
  'Read when the message is claimed, so that no key lies in the outbox.';
