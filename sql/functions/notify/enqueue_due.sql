-- Queues reminders and the messages of a trial.
-- Locks: lease, users (rows, skip locked), subscription.
-- Raises: OP001, OP002, OP003, 22023.
create or replace function notify.enqueue_due(p_epoch bigint, p_limit int)
returns table (enqueued int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_enqueued int := 0;
begin
  perform ops._enter_due('notify.enqueue_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select s.telegram_id from subscription.subscription s
      where s.reminder_check_at <= v_now
        and not exists (
          select 1 from ops.dead d
          where d.job_name = 'notify.enqueue_due'
            and d.subject = 'telegram_id:' || s.telegram_id
            and d.died_at > v_now - interval '1 hour')
      order by s.reminder_check_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    v_enqueued := notify._remind(v_users, v_now);
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        v_enqueued := v_enqueued + notify._remind(array[v_user], v_now);
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('notify.enqueue_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return query select v_enqueued;
end
$$;

comment on function notify.enqueue_due is
  'Looks at no more than p_limit users'' reminders (table notify.reminder), each once: late ones '
  'are dropped, not sent in a burst. Unreachable users'' are queued too: only sending tells whether'
  ' somebody is back. Users that are busy are left for the next run. p_epoch: of the lease '
  'notify.enqueue_due; null by hand.';

grant execute on function notify.enqueue_due to atlas_worker, atlas_dba;
