-- Gives a message back uncounted: it was not this message's fault that it was not sent.
-- Locks: user, outbox.task row.
-- Raises: 22023, OP001.
create or replace function notify.release(
  p_message_id bigint, p_lease_token uuid, p_error text, p_wait interval)
returns table (message_id bigint, is_recorded boolean, next_attempt_at timestamptz)
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
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_wait between interval '0' and interval '1 day',
                        'p_wait: 0 to 1 day');

  select l.telegram_id, l.is_leased, l.is_finished, l.given_back_until into v_task
  from outbox._lock_leased('message', p_message_id, p_lease_token) l;
  if v_task.is_leased and not v_task.is_finished and v_task.given_back_until is null then
    v_task.given_back_until := outbox._retry(v_task.telegram_id, p_message_id, p_error, p_wait, 1);
  end if;
  return query select p_message_id, v_task.is_leased, v_task.given_back_until;
end
$$;

comment on function notify.release is
  'Only where nothing was delivered for certain, because nothing could be: Telegram told '
  'everybody to wait, or the process stops. The attempt is not counted, however often that '
  'happens; due again after p_wait. is_recorded is false when the lease was lost.';

grant execute on function notify.release to atlas_worker, atlas_dba;
