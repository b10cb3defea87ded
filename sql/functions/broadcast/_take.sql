-- Marks the next people of a broadcast as being written to.
-- Locks: broadcast.recipient rows (skip locked); the caller holds the broadcast's row.
-- Raises: nothing.
create or replace function broadcast._take(
  p_broadcast_id bigint, p_segment broadcast.segment, p_is_ab boolean, p_reached_id bigint,
  p_holder text, p_limit int, p_now timestamptz, p_until timestamptz)
returns bigint[]
language plpgsql
volatile
as $$
declare
  v_again bigint[];
  v_new bigint[];
begin
  with due as (
    select r.telegram_id
    from broadcast.recipient r
    where r.broadcast_id = p_broadcast_id and r.finished_at is null and r.outcome = 'waiting'
      and r.due_at <= p_now
    order by r.due_at
    limit p_limit
    for no key update skip locked
  ), taken as (
    update broadcast.recipient r
    set outcome = 'sending', attempt = r.attempt + 1, due_at = null, holder = p_holder,
        lease_token = gen_random_uuid(), leased_until = p_until
    from due d
    where r.telegram_id = d.telegram_id and r.broadcast_id = p_broadcast_id
    returning r.telegram_id
  )
  select coalesce(array_agg(t.telegram_id), '{}') into v_again from taken t;

  with taken as (
    insert into broadcast.recipient as r (
      telegram_id, broadcast_id, variant, outcome, attempt, holder, lease_token, leased_until)
    select p.telegram_id, p_broadcast_id,
           case when p_is_ab and random() < 0.5 then 'b' else 'a' end, 'sending', 1, p_holder,
           gen_random_uuid(), p_until
    from broadcast._people(
      p_segment, p_reached_id, p_limit - cardinality(v_again), p_now) p
    returning r.telegram_id
  )
  select coalesce(array_agg(t.telegram_id order by t.telegram_id), '{}') into v_new from taken t;

  update broadcast.broadcast b
  set reached_id = case when cardinality(v_again) + cardinality(v_new) < p_limit
                        then 9223372036854775807 else v_new[cardinality(v_new)] end
  where b.broadcast_id = p_broadcast_id and cardinality(v_again) < p_limit
    and b.reached_id < 9223372036854775807;
  return v_again || v_new;
end
$$;

comment on function broadcast._take is
  'First who waits for another attempt, then those who have not had their turn, by id. Once nobody '
  'is left it looks no more: the walk past everybody else would begin anew for each who waits.';
