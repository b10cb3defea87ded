-- Reconciles subscriptions with the purchases that made them.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_subscriptions()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  select 'subscription_ends_as_bought', 'telegram_id:' || coalesce(s.telegram_id, l.telegram_id),
         format('ends %s as %s; bought until %s as %s', s.expires_at, s.tariff,
                l.after_expires_at, l.tariff)
  from subscription.subscription s
  full join (
    select distinct on (u.telegram_id) u.telegram_id, u.after_expires_at, u.tariff
    from billing.purchase u
    where u.kind = 'subscription' and u.status = 'paid'
    order by u.telegram_id, u.provision_task_id desc) l on l.telegram_id = s.telegram_id
  where (s.expires_at, s.tariff) is distinct from (l.after_expires_at, l.tariff)
  union all
  select 'period_follows_period', 'purchase:' || u.purchase_id,
         format('begins after %s as %s; the purchase before ended %s as %s',
                u.before_expires_at, u.before_tariff, u.expires_before, u.tariff_before)
  from (
    select p.purchase_id, p.before_expires_at, p.before_tariff,
           lag(p.after_expires_at) over w as expires_before, lag(p.tariff) over w as tariff_before
    from billing.purchase p
    where p.kind = 'subscription' and p.status = 'paid'
    window w as (partition by p.telegram_id order by p.provision_task_id)) u
  where (u.before_expires_at, u.before_tariff)
        is distinct from (u.expires_before, u.tariff_before)
  union all
  select 'expiry_is_checked_in_time', 'telegram_id:' || s.telegram_id,
         format('ends %s, looked at %s', s.expires_at, s.expiry_check_at)
  from subscription.subscription s
  where s.expiry_check_at > s.expires_at
$$;

comment on function ops._reconcile_subscriptions is
  'Checks subscription_ends_as_bought, period_follows_period, expiry_is_checked_in_time.';
