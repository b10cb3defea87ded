-- What admins are told of a request for corporate access, with the user's card.
-- Locks: none.
-- Raises: nothing.
create or replace function account._corporate_card(p_telegram_id bigint, p_request_id bigint)
returns jsonb
language sql
stable
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'request_id', c.request_id, 'telegram_id', c.telegram_id, 'company', c.company,
    'contact', c.contact, 'username', a.username, 'registered_at', a.registered_at,
    'user_tariff', s.tariff, 'user_expires_at', s.expires_at))
  from account.corporate_request c
  join account.account a on a.telegram_id = c.telegram_id
  left join subscription.subscription s on s.telegram_id = c.telegram_id
  where c.telegram_id = p_telegram_id and c.request_id = p_request_id
$$;

comment on function account._corporate_card is
  'The user''s tariff and end have names of their own: a message''s tariff is its reader''s.';
