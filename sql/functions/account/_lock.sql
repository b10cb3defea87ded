-- Locks a user, so that everything about the user's money happens one call at a time.
-- Locks: user (advisory, then the row).
-- Raises: US001.
create or replace function account._lock(p_telegram_id bigint, out is_blocked boolean)
language plpgsql
volatile
as $$
begin
  perform pg_advisory_xact_lock((1::bigint << 56) | p_telegram_id);

  select a.is_blocked into _lock.is_blocked
  from account.account a
  where a.telegram_id = p_telegram_id
  for no key update;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function account._lock is
  'Locks one user. The row is the authority; the advisory lock in front only keeps the queue in '
  'order.';
