-- What settle_payment says of a charge.
-- Locks: none.
-- Raises: nothing.
create or replace function billing._payment_answer(p_provider text, p_charge_id text)
returns table (
  payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint,
  subscription_expires_at timestamptz)
language sql
stable
as $$
  select p.payment_id, p.outcome::text, nullif(p.telegram_id, 0),
         case when p.outcome = 'reversed' then 0 else p.credited_kopecks end::bigint,
         case when p.outcome <> 'reversed' then p.subscription_expires_at end
  from billing.charge c
  join billing.payment p on p.telegram_id = c.telegram_id and p.payment_id = c.payment_id
  where c.provider = p_provider and c.charge_id = p_charge_id
$$;

comment on function billing._payment_answer is
  'The answer about a charge, first or repeated. Once it is reversed, nothing of it is there.';
