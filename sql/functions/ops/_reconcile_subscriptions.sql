-- Reconciles subscriptions with the purchases and changes that made them.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_subscriptions()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  with chain as (
    select e.*, lag(e.after_tariff) over w as tariff_before,
           lag(e.after_expires_at) over w as expires_before,
           lag(e.after_period) over w as period_before,
           row_number() over (partition by e.telegram_id order by e.place desc) = 1 as is_last
    from (
      select u.telegram_id, u.provision_task_id as place, 'purchase:' || u.purchase_id as subject,
             u.before_tariff, u.before_expires_at, u.before_period,
             u.tariff as after_tariff, u.after_expires_at,
             'paid'::subscription.period as after_period
      from billing.purchase u
      where u.kind = 'subscription' and u.status in ('paid', 'refunded')
      union all
      select c.telegram_id, c.change_id, 'change:' || c.change_id, c.before_tariff,
             c.before_expires_at, c.before_period, c.after_tariff, c.after_expires_at,
             c.after_period
      from subscription.change c) e
    window w as (partition by e.telegram_id order by e.place)
  )
  select 'subscription_ends_as_bought', 'telegram_id:' || coalesce(s.telegram_id, l.telegram_id),
         format('ends %s as %s, %s; the last change left %s as %s, %s', s.expires_at, s.tariff,
                s.period, l.after_expires_at, l.after_tariff, l.after_period)
  from subscription.subscription s
  full join (select c.* from chain c where c.is_last) l on l.telegram_id = s.telegram_id
  where (s.expires_at, s.tariff, s.period)
        is distinct from (l.after_expires_at, l.after_tariff, l.after_period)
  union all
  select 'period_follows_period', c.subject,
         format('begins after %s as %s, %s; what came before ended %s as %s, %s',
                c.before_expires_at, c.before_tariff, c.before_period,
                c.expires_before, c.tariff_before, c.period_before)
  from chain c
  where (c.before_expires_at, c.before_tariff, c.before_period)
        is distinct from (c.expires_before, c.tariff_before, c.period_before)
  union all
  select 'expiry_is_checked_in_time', 'telegram_id:' || s.telegram_id,
         format('ends %s, looked at %s', s.expires_at, s.expiry_check_at)
  from subscription.subscription s
  where s.expiry_check_at > s.expires_at
     or (s.activation <> 'none' and s.expiry_check_at is null)
  union all
  select 'renewal_is_checked', 'telegram_id:' || s.telegram_id,
         format('auto_renew %s, ends %s, looked at %s, declined for %s', s.auto_renew, s.expires_at,
                s.renew_check_at, s.renew_declined_for)
  from subscription.subscription s
  join account.account a on a.telegram_id = s.telegram_id
  where (s.renew_check_at is not null and not s.auto_renew)
     or s.renew_check_at > s.expires_at
     or (s.renew_check_at is null and s.auto_renew and s.expires_at > core.now()
         and s.renew_declined_for is distinct from s.expires_at and not a.is_blocked
         and exists (select 1 from billing.purchase u
                     where u.telegram_id = s.telegram_id and u.kind = 'subscription'
                       and u.status = 'paid')
         and not exists (select 1 from billing.purchase u
                         where u.telegram_id = s.telegram_id
                           and u.renews_expires_at = s.expires_at))
$$;

comment on function ops._reconcile_subscriptions is
  'Checks subscription_ends_as_bought, period_follows_period, expiry_is_checked_in_time, '
  'renewal_is_checked.';
