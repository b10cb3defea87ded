-- Counts a message that was certainly not delivered.
-- Locks: user, outbox.task row.
-- Raises: 22023, OP001.
create or replace function notify.failed(
  p_message_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean)
returns table (message_id bigint, is_recorded boolean, next_attempt_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_task record;
  v_attempt int;
  v_next_attempt_at timestamptz;
begin
  perform core._guard();
  perform core._require(p_message_id is not null, 'p_message_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_is_unreachable is not null, 'p_is_unreachable: true or false');

  select l.telegram_id, l.is_leased, l.is_finished, l.given_back_until into v_task
  from outbox._lock_leased('message', p_message_id, p_lease_token) l;

  if v_task.is_leased and v_task.given_back_until is not null then
    v_next_attempt_at := v_task.given_back_until;
  elsif v_task.is_leased and not v_task.is_finished then
    select t.attempt into v_attempt from outbox.task t
    where t.telegram_id = v_task.telegram_id and t.task_id = p_message_id;

    if p_is_unreachable then
      update account.account a set is_reachable = false
      where a.telegram_id = v_task.telegram_id and a.is_reachable;
      perform outbox._finish(v_task.telegram_id, p_message_id, 'unreachable', p_error);
    elsif v_attempt >= ops._setting_value('message_attempts') then
      perform outbox._finish(v_task.telegram_id, p_message_id, 'failed', p_error);
      perform ops._bury('notify.send', 'message:' || p_message_id, p_error);
    else
      v_next_attempt_at := outbox._retry(v_task.telegram_id, p_message_id, p_error,
        make_interval(secs => least(2 ^ least(v_attempt, 10), 600)), 0);
    end if;
  end if;

  return query select p_message_id, v_task.is_leased, v_next_attempt_at;
end
$$;

comment on function notify.failed is
  'Only where nothing was delivered for certain (429, 4xx, no connection). Unreachable: the user '
  'blocked the bot, nothing more is sent for this message. Else it is tried again with backoff, '
  '10 times in all (setting message_attempts). is_recorded is false when the lease was lost.';

grant execute on function notify.failed to atlas_worker, atlas_dba;
