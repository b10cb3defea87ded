-- Gives a person back uncounted: it was not their fault that nothing was sent.
-- Locks: broadcast.recipient row.
-- Raises: 22023, OP001.
create or replace function broadcast.release(
  p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_wait interval)
returns table (telegram_id bigint, is_recorded boolean, next_attempt_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_due_at timestamptz;
begin
  perform core._guard();
  perform broadcast._require_attempt(p_broadcast_id, p_telegram_id, p_lease_token);
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_wait between interval '0' and interval '1 day',
                        'p_wait: 0 to 1 day');

  update broadcast.recipient r
  set outcome = 'waiting', attempt = r.attempt - 1, due_at = core.now() + p_wait,
      leased_until = null, last_error = left(p_error, 1000)
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
    and r.lease_token = p_lease_token and r.outcome = 'sending';

  select r.due_at into v_due_at
  from broadcast.recipient r
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
    and r.lease_token = p_lease_token;
  return query select p_telegram_id, found, v_due_at;
end
$$;

comment on function broadcast.release is
  'Only where nothing was delivered for certain, because nothing could be: Telegram told '
  'everybody to wait, or the process stops. The attempt is not counted, however often that '
  'happens; due again after p_wait. is_recorded is false when the token names no attempt.';

grant execute on function broadcast.release to atlas_worker, atlas_dba;
