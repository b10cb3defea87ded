-- Gives what renewals have paid for: the subscriptions, their jobs, messages and cashback.
-- Locks: subscription; the caller holds the users' locks.
-- Raises: nothing.
create or replace function subscription._fulfil_renewals(
  p_users bigint[], p_purchases uuid[], p_now timestamptz)
returns int
language plpgsql
volatile
as $$
declare
  v_window interval := make_interval(secs => ops._setting_value('renewal_window_seconds'));
  v_renewed int;
begin
  with bought as materialized (
    select u.telegram_id, u.purchase_id, u.tariff, u.price_kopecks, u.after_expires_at,
           u.provision_task_id, a.referrer_id
    from unnest(p_users, p_purchases) p (telegram_id, purchase_id)
    join billing.purchase u on u.telegram_id = p.telegram_id and u.purchase_id = p.purchase_id
    join account.account a on a.telegram_id = u.telegram_id
  ), extended as (
    update subscription.subscription s
    set tariff = b.tariff,
        period = 'paid',
        started_at = case s.period when 'paid' then s.started_at else p_now end,
        expires_at = b.after_expires_at,
        activation = case s.activation when 'active' then s.activation else 'pending' end,
        expiry_check_at = b.after_expires_at,
        renew_check_at = b.after_expires_at - v_window,
        reminder_check_at = p_now
    from bought b
    where s.telegram_id = b.telegram_id
    returning b.telegram_id, b.purchase_id, b.price_kopecks, b.provision_task_id, b.referrer_id,
              s.vpn_uuid
  ), promised as (
    insert into outbox.task (
      telegram_id, task_id, kind, name, due_at, created_at, purchase_id, vpn_uuid,
      amount_kopecks, other_id)
    select t.telegram_id, coalesce(t.task_id, nextval('outbox.task_id')), t.kind, t.name, p_now,
           p_now, e.purchase_id, t.vpn_uuid, t.amount_kopecks, t.other_id
    from extended e
    cross join lateral (values
      (e.telegram_id, e.provision_task_id, 'provision'::outbox.kind, 'add', e.vpn_uuid,
       null::bigint, null::bigint),
      (e.telegram_id, null, 'message', 'renewal_done', null, e.price_kopecks, null),
      (e.referrer_id, null, 'cashback', 'reward', null, e.price_kopecks, e.telegram_id)
    ) t (telegram_id, task_id, kind, name, vpn_uuid, amount_kopecks, other_id)
    where t.kind <> 'cashback' or (t.telegram_id is not null and e.price_kopecks > 0)
  )
  select count(*)::int into v_renewed from bought b;
  return v_renewed;
end
$$;

comment on function subscription._fulfil_renewals is
  'As billing._fulfil, for many: p_users[i] has paid p_purchases[i]. Each subscription is in force '
  'and keeps its identity. All due times move forward at once: no HOT update is to be had here, '
  'and the next runs pass them by.';
