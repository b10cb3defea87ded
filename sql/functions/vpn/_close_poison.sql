-- Gives up activations whose every attempt ended without a word: their workers died.
-- Locks: users and outbox.task (rows, skip locked), subscription.
-- Raises: nothing.
create or replace function vpn._close_poison(p_now timestamptz)
returns void
language plpgsql
volatile
as $$
declare
  v_attempts bigint := ops._setting_value('provisioning_attempts');
  v_task record;
begin
  for v_task in
    select t.telegram_id, t.task_id, t.purchase_id, t.vpn_uuid
    from outbox.task t
    join account.account a on a.telegram_id = t.telegram_id
    join subscription.subscription s on s.telegram_id = t.telegram_id
    where t.kind = 'provision' and t.name = 'add' and t.finished_at is null
      and t.leased_until <= p_now and t.attempt >= v_attempts
      and not vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, p_now)
    limit 100
    for no key update of a, t skip locked
  loop
    perform outbox._finish(v_task.telegram_id, v_task.task_id, 'failed',
                           'every attempt ended without an answer');
    perform vpn._give_up(v_task.telegram_id, v_task.vpn_uuid, v_task.purchase_id,
                         'every attempt ended without an answer');
  end loop;
end
$$;

comment on function vpn._close_poison is
  'A job that kills whoever works it is given up like one that fails; a remove never is.';
