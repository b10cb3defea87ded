-- Counts a failed attempt at an update; the last one gives up.
-- Locks: inbox.update row.
-- Raises: 22023, OP001.
create or replace function inbox.failed(p_update_id bigint, p_lease_token uuid, p_error text)
returns table (will_retry boolean, next_attempt_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_attempt int;
  v_next_attempt_at timestamptz;
begin
  perform core._guard();
  perform core._require(p_update_id is not null, 'p_update_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');

  select u.attempt, case when u.leased_until is null then u.due_at end
  into v_attempt, v_next_attempt_at
  from inbox.update u
  where u.update_id = p_update_id and u.lease_token = p_lease_token and u.finished_at is null
  for no key update;
  if not found or v_next_attempt_at is not null then -- lost, finished, or told before
    return query select v_next_attempt_at is not null, v_next_attempt_at;
    return;
  end if;

  if v_attempt < ops._setting_value('update_attempts') then
    v_next_attempt_at := core.now() + make_interval(secs => 2 ^ (least(v_attempt, 8) - 1));
  else
    perform ops._bury('inbox', 'update:' || p_update_id, p_error);
  end if;

  update inbox.update u
  set due_at = coalesce(v_next_attempt_at, u.due_at), leased_until = null, holder = null,
      last_error = left(p_error, 1000),
      finished_at = case when v_next_attempt_at is null then core.now() end
  where u.update_id = p_update_id;

  return query select v_next_attempt_at is not null, v_next_attempt_at;
end
$$;

comment on function inbox.failed is
  'The update could not be handled. It is tried again with backoff, 5 times in all (setting '
  'update_attempts); then it goes to ops.dead_letter, and the chat''s later updates have their '
  'turn.';

grant execute on function inbox.failed to atlas_bot, atlas_dba;
