-- Locks a code for a change of its terms, after every reservation in flight has ended.
-- Locks: promo.use (share row exclusive), the code's row.
-- Raises: PR001.
create or replace function promo._lock_code(
  p_code text, out promo_id bigint, out is_active boolean, out max_uses int)
language plpgsql
volatile
as $$
begin
  lock table promo.use in share row exclusive mode;

  select c.promo_id, c.is_active, c.max_uses
  into _lock_code.promo_id, _lock_code.is_active, _lock_code.max_uses
  from promo.code c
  where c.code = p_code
  for no key update;
  if not found then
    perform core._refuse('PR001', p_code);
  end if;
end
$$;

comment on function promo._lock_code is
  'From here on no use is taken or given back until the transaction ends, so that none is taken by '
  'the old terms after the new ones are in force. Keep it short: buyers with a code wait.';
