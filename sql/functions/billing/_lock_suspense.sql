-- Locks a payment that should be in suspense, by its charge, and reads it.
-- Locks: billing.charge row.
-- Raises: PY002.
create or replace function billing._lock_suspense(
  p_payment_id bigint,
  out telegram_id bigint, out outcome billing.payment_outcome, out amount_minor bigint,
  out currency text, out rub_kopecks bigint, out worth_kopecks bigint, out resolved_by bigint,
  out resolved_at timestamptz, out reversed_at timestamptz, out received_at timestamptz)
language plpgsql
volatile
as $$
#variable_conflict use_column
begin
  perform 1
  from billing.payment p
  join billing.charge c on c.provider = p.provider and c.charge_id = p.charge_id
  where p.payment_id = p_payment_id
  for no key update of c;
  if not found then
    perform core._refuse('PY002', format('no payment has payment_id %s', p_payment_id));
  end if;

  select p.telegram_id, p.outcome, p.amount_minor, p.currency,
         case p.currency when 'RUB' then p.amount_minor end, p.worth_kopecks, p.resolved_by,
         p.resolved_at, p.reversed_at, p.received_at
  into strict _lock_suspense.telegram_id, _lock_suspense.outcome, _lock_suspense.amount_minor,
       _lock_suspense.currency, _lock_suspense.rub_kopecks, _lock_suspense.worth_kopecks,
       _lock_suspense.resolved_by, _lock_suspense.resolved_at, _lock_suspense.reversed_at,
       _lock_suspense.received_at
  from billing.payment p where p.payment_id = p_payment_id;
end
$$;

comment on function billing._lock_suspense is
  'The charge''s row is what reverse_payment and resolve_suspense take turns by. rub_kopecks: as '
  'received, null in another currency.';
