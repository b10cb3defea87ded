-- Leases the oldest due tasks of a kind, at most one per user.
-- Locks: outbox.task rows (skip locked).
-- Raises: nothing.
create or replace function outbox._claim(
  p_kind outbox.kind, p_holder text, p_limit int, p_lease interval)
returns table (telegram_id bigint, task_id bigint)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  return query
  with due as (
    select t.telegram_id, t.task_id
    from outbox.task t
    where t.kind = p_kind and t.finished_at is null and t.due_at <= v_now
      and (t.leased_until is null
           or (t.leased_until <= v_now and (t.kind = 'provision' or t.is_repeatable)))
      and not exists (
        select 1 from outbox.task e
        where e.telegram_id = t.telegram_id and e.task_id < t.task_id and e.kind = t.kind
          and e.finished_at is null
          -- A new identity does not wait for an old one that the node refuses to remove.
          and not (t.name = 'add' and e.vpn_uuid <> t.vpn_uuid and e.leased_until is null
                   and e.due_at > v_now))
      and (t.kind <> 'provision' or not exists (
        select 1 from outbox.task e
        where e.telegram_id = t.telegram_id and e.kind = t.kind and e.leased_until > v_now
          and e.finished_at is null))
    order by t.due_at
    limit p_limit
    for no key update of t skip locked
  )
  update outbox.task t
  set attempt = least(t.attempt + 1, 32767), holder = p_holder, lease_token = gen_random_uuid(),
      leased_until = v_now + p_lease
  from due d
  where t.telegram_id = d.telegram_id and t.task_id = d.task_id
  returning t.telegram_id::bigint, t.task_id;
end
$$;

comment on function outbox._claim is
  'A task waits while an older one of the same kind and user is unfinished: keys and messages '
  'keep their order, but for the add of a new identity: it passes what still waits for an older '
  'one. A message whose lease has run out may have been sent: only a repeatable one is leased '
  'again.';
