-- Counts one person more who has had their turn.
-- Locks: the broadcast's tally; the caller holds the person's row.
-- Raises: nothing.
create or replace function broadcast._count(
  p_broadcast_id bigint, p_variant text, p_outcome broadcast.outcome, p_now timestamptz)
returns void
language sql
volatile
as $$
  with was as (
    select t.broadcast_id,
           t.sent_a + t.sent_b + t.unreachable + t.failed as people,
           p_now >= t.marked_at + interval '10 seconds' as is_mark,
           p_now >= t.marked_at + interval '1 minute' as is_anew
    from broadcast.tally t
    where t.broadcast_id = p_broadcast_id
    for no key update
  )
  update broadcast.tally t
  set sent_a = t.sent_a + (p_outcome = 'sent' and p_variant = 'a')::int,
      sent_b = t.sent_b + (p_outcome = 'sent' and p_variant = 'b')::int,
      unreachable = t.unreachable + (p_outcome = 'unreachable')::int,
      failed = t.failed + (p_outcome = 'failed')::int,
      since_at = case when w.is_anew then p_now when w.is_mark then t.marked_at
                      else t.since_at end,
      since_people = case when w.is_anew then w.people when w.is_mark then t.marked_people
                          else t.since_people end,
      marked_at = case when w.is_mark then p_now else t.marked_at end,
      marked_people = case when w.is_mark then w.people else t.marked_people end
  from was w
  where t.broadcast_id = w.broadcast_id
$$;

comment on function broadcast._count is
  'And takes its pace, over the last ten to twenty seconds; anew after a pause.';
