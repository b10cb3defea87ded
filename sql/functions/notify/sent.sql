-- Ends a message that was delivered.
-- Locks: user, outbox.task row.
-- Raises: 22023, OP001.
create or replace function notify.sent(p_message_id bigint, p_lease_token uuid)
returns table (message_id bigint, is_recorded boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_task record;
begin
  perform core._guard();
  perform core._require(p_message_id is not null, 'p_message_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');

  select l.telegram_id, l.is_leased, l.is_finished into v_task
  from outbox._lock_leased('message', p_message_id, p_lease_token) l;
  if v_task.is_leased and not v_task.is_finished then
    perform outbox._finish(v_task.telegram_id, p_message_id, 'done');
  end if;

  return query select p_message_id, v_task.is_leased;
end
$$;

comment on function notify.sent is
  'The message was delivered. is_recorded is false when the lease was lost. Safe to call again.';

grant execute on function notify.sent to atlas_worker, atlas_dba;
