-- Closes attempts whose worker never said how they ended.
-- Locks: broadcast.recipient rows (skip locked).
-- Raises: nothing.
create or replace function broadcast._close_lost(p_now timestamptz)
returns void
language sql
volatile
as $$
  with lost as (
    select r.telegram_id, r.broadcast_id
    from broadcast.recipient r
    where r.finished_at is null and r.outcome = 'sending' and r.leased_until <= p_now
    for no key update skip locked
  )
  update broadcast.recipient r
  set outcome = 'unknown', finished_at = p_now, leased_until = null
  from lost l
  where r.telegram_id = l.telegram_id and r.broadcast_id = l.broadcast_id
$$;

comment on function broadcast._close_lost is
  'It may have arrived: nobody gets a broadcast twice, so it is counted and not sent again.';
