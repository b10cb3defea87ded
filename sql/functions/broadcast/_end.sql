-- Ends an attempt, if it is still the one that the token names.
-- Locks: broadcast.recipient row, then the broadcast's tally.
-- Raises: nothing.
create or replace function broadcast._end(
  p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_outcome broadcast.outcome,
  p_error text, p_due_at timestamptz)
returns boolean
language plpgsql
volatile
as $$
declare
  v_now timestamptz := core.now();
  v_variant text;
begin
  update broadcast.recipient r
  set outcome = p_outcome, due_at = p_due_at, leased_until = null, last_error = left(p_error, 1000),
      finished_at = case when p_outcome = 'waiting' then null else v_now end
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
    and r.lease_token = p_lease_token
    and (r.outcome = 'sending' or r.outcome = 'unknown' and p_outcome <> 'waiting')
  returning r.variant into v_variant;
  if not found then
    return exists (
      select 1 from broadcast.recipient r
      where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
        and r.lease_token = p_lease_token);
  end if;
  if p_outcome <> 'waiting' then
    perform broadcast._count(p_broadcast_id, v_variant, p_outcome, v_now);
  end if;
  return true;
end
$$;

comment on function broadcast._end is
  'False: the token names no attempt, or another one came after it. Late news of an unknown '
  'outcome are taken.';
