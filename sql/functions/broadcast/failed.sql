-- Notes that a broadcast has certainly not reached somebody.
-- Locks: user, broadcast.recipient row.
-- Raises: 22023, OP001.
create or replace function broadcast.failed(
  p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text,
  p_is_unreachable boolean)
returns table (telegram_id bigint, is_recorded boolean, next_attempt_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_attempt record;
  v_outcome broadcast.outcome;
  v_next_attempt_at timestamptz;
begin
  perform core._guard();
  perform broadcast._require_attempt(p_broadcast_id, p_telegram_id, p_lease_token);
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_is_unreachable is not null, 'p_is_unreachable: true or false');

  select r.attempt, b.status in ('running', 'paused') as goes_on into v_attempt
  from broadcast.recipient r
  join broadcast.broadcast b on b.broadcast_id = r.broadcast_id
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
    and r.lease_token = p_lease_token;
  if not found then
    return query select p_telegram_id, false, null::timestamptz;
    return;
  end if;

  if p_is_unreachable then
    v_outcome := 'unreachable';
    update account.account a
    set is_reachable = false
    where a.telegram_id = p_telegram_id and a.is_reachable;
  elsif v_attempt.goes_on and v_attempt.attempt < ops._setting_value('message_attempts') then
    v_outcome := 'waiting';
    v_next_attempt_at := core.now() + make_interval(secs => least(2 ^ v_attempt.attempt, 600));
  else
    v_outcome := 'failed';
  end if;
  is_recorded := broadcast._end(
    p_broadcast_id, p_telegram_id, p_lease_token, v_outcome, p_error, v_next_attempt_at);

  return query
  select p_telegram_id, failed.is_recorded, r.due_at
  from broadcast.recipient r
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id;
end
$$;

comment on function broadcast.failed is
  'Only where nothing was delivered for certain (429, 4xx, no connection). Unreachable: the user '
  'blocked the bot. Else it is tried again with backoff, 10 times in all (setting '
  'message_attempts). is_recorded is false when the token names no attempt.';

grant execute on function broadcast.failed to atlas_worker, atlas_dba;
