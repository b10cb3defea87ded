-- Locks a charge, and before it the user whose payment it became; nulls if it is unknown.
-- Locks: user, billing.charge row.
-- Raises: 40001.
create or replace function billing._lock_charge(
  p_provider text, p_charge_id text, out telegram_id bigint, out payment_id bigint)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
begin
  select c.telegram_id into v_telegram_id
  from billing.charge c where c.provider = p_provider and c.charge_id = p_charge_id;
  if not found then
    return;
  elsif v_telegram_id <> 0 then
    perform account._lock(v_telegram_id);
  end if;

  select c.telegram_id, c.payment_id into strict _lock_charge.telegram_id, _lock_charge.payment_id
  from billing.charge c where c.provider = p_provider and c.charge_id = p_charge_id
  for no key update;
  if _lock_charge.telegram_id <> v_telegram_id then
    perform core._refuse('40001', format('%s %s was given to telegram_id %s meanwhile', p_provider,
                                         p_charge_id, _lock_charge.telegram_id));
  end if;
end
$$;

comment on function billing._lock_charge is
  'A charge moves once at most: out of suspense. If that happens between the two looks, the caller'
  ' has to begin again.';
