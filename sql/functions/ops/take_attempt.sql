-- Counts one attempt of a person, or says how long it is too early for it.
-- Locks: the person's row of ops.attempt, and nothing else in its transaction.
-- Raises: 22023, OP001.
create or replace function ops.take_attempt(p_telegram_id bigint, p_action text)
returns table (wait_milliseconds bigint)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_attempts bigint;
  v_token interval; -- in which one grows back
  v_whole_at timestamptz;
  v_now timestamptz;
  v_early interval;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  select l.attempts, interval '1 microsecond' * (l.per_seconds * 1000000::bigint / l.attempts)
  into v_attempts, v_token
  from ops.rate_limits() l where l.action = p_action;
  perform core._require(found, 'p_action: an action in ops.rate_limits()');

  loop
    select a.whole_at into v_whole_at
    from ops.attempt a
    where a.telegram_id = p_telegram_id and a.action = p_action
    for no key update;
    exit when found;
    insert into ops.attempt (telegram_id, action, whole_at)
    values (p_telegram_id, p_action, '-infinity')
    on conflict on constraint attempt_pkey do nothing; -- who lost finds the winner's next
  end loop;
  v_now := core.now();
  v_whole_at := greatest(v_whole_at, v_now) + v_token;
  v_early := v_whole_at - v_now - v_token * v_attempts;

  if v_early > interval '0' then
    return query select ceil(extract(epoch from v_early) * 1000)::bigint;
    return;
  end if;
  update ops.attempt a
  set whole_at = v_whole_at
  where a.telegram_id = p_telegram_id and a.action = p_action;
  return query select 0::bigint;
end
$$;

comment on function ops.take_attempt is
  'Zero: counted, go on. Otherwise nothing was counted, and this is the time to wait. Exact,'
  ' however many ask at once. The bot asks Redis before, which keeps those away who try on and on,'
  ' and asks here in any case: an attempt that Redis has forgotten was counted.';

grant execute on function ops.take_attempt to atlas_bot, atlas_dba;
