-- Leases messages to send, oldest first, one per user at a time.
-- Locks: outbox.task rows (skip locked).
-- Raises: 22023, OP001.
create or replace function notify.claim(p_holder text, p_limit int, p_lease interval)
returns table (
  message_id bigint, telegram_id bigint, template text, arguments jsonb, lease_token uuid,
  language text, correlation_id text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_tasks bigint[];
  v_users bigint[];
begin
  perform core._guard();
  perform outbox._require_claim(p_holder, p_limit, p_lease);
  perform notify._close_lost();

  for v_round in 1 .. 20 loop -- as long as nothing is left of what was leased
    select array_agg(c.task_id), array_agg(c.telegram_id) into v_tasks, v_users
    from outbox._claim('message', p_holder, p_limit, p_lease) c;
    exit when v_tasks is null;

    -- Who takes no messages is left alone until they are back; a key is paid for and worth a try.
    update outbox.task t
    set finished_at = core.now(), outcome = 'unreachable', leased_until = null
    from unnest(v_users, v_tasks) c (telegram_id, task_id)
    join account.account a on a.telegram_id = c.telegram_id and not a.is_reachable
    where t.telegram_id = c.telegram_id and t.task_id = c.task_id and not t.is_repeatable;
    perform notify._drop_outdated(v_users, v_tasks);
    exit when exists (
      select 1 from unnest(v_users, v_tasks) c (telegram_id, task_id)
      join outbox.task t on t.telegram_id = c.telegram_id and t.task_id = c.task_id
      where t.finished_at is null);
  end loop;

  return query
  select t.task_id, t.telegram_id::bigint, t.name,
         notify._arguments(t.telegram_id, t.name, t.purchase_id, t.amount_kopecks, t.arguments),
         t.lease_token, a.language, t.correlation_id
  from unnest(v_users, v_tasks) c (telegram_id, task_id)
  join outbox.task t on t.telegram_id = c.telegram_id and t.task_id = c.task_id
    and t.finished_at is null
  join account.account a on a.telegram_id = t.telegram_id
  order by t.task_id;
end
$$;

comment on function notify.claim is
  'Leases up to p_limit messages for p_lease; then notify.sent, or notify.failed where it is '
  'certain that nothing was delivered. With neither, the outcome is unknown: when the lease has '
  'run out a key_ready is given out again, every other message is closed as lost. arguments has '
  'what the template shows: kopecks and times. Messages to somebody who has blocked the bot are '
  'closed unsent (unreachable), but for keys; so are reminders of what is no longer so (outdated).';

grant execute on function notify.claim to atlas_worker, atlas_dba;
