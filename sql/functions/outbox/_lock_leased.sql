-- Locks a leased task and its user; tells whether the caller's lease still stands.
-- Locks: user, outbox.task row.
-- Raises: nothing.
create or replace function outbox._lock_leased(
  p_kind outbox.kind, p_task_id bigint, p_lease_token uuid,
  out telegram_id bigint, out is_leased boolean, out is_finished boolean,
  out given_back_until timestamptz)
language plpgsql
volatile
as $$
#variable_conflict use_column
begin
  select t.telegram_id into _lock_leased.telegram_id
  from outbox.task t
  where t.task_id = p_task_id and t.kind = p_kind and t.lease_token is not null;
  if not found then
    is_leased := false;
    is_finished := false;
    return;
  end if;
  perform account._lock(_lock_leased.telegram_id);

  select t.lease_token = p_lease_token, t.finished_at is not null,
         case when t.leased_until is null and t.finished_at is null then t.due_at end
  into is_leased, is_finished, given_back_until
  from outbox.task t
  where t.telegram_id = _lock_leased.telegram_id and t.task_id = p_task_id
  for no key update;
  is_leased := coalesce(is_leased, false);
end
$$;

comment on function outbox._lock_leased is
  'The token of the last claim is the lease: it stands until somebody else claims, even past its '
  'time. given_back_until: when an unfinished task that this lease gave back is due again.';
