-- Reconciles renewals, trials and reminders with the subscriptions they belong to.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_periods()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  select 'period_renewed_once', 'telegram_id:' || u.telegram_id,
         format('the period that ends %s is renewed by %s purchases', u.renews_expires_at,
                count(*))
  from billing.purchase u
  where u.renews_expires_at is not null
  group by u.telegram_id, u.renews_expires_at
  having count(*) > 1
  union all
  select 'renewal_is_from_balance', 'purchase:' || u.purchase_id,
         format('%s, paid with %s; renews what ends %s, bought after %s', u.status, u.paid_with,
                u.renews_expires_at, u.before_expires_at)
  from billing.purchase u
  where u.renews_expires_at is not null
    and (u.status in ('paid', 'refunded') and u.paid_with in ('balance', 'free')
         and u.renews_expires_at = u.before_expires_at and u.closed_at < u.renews_expires_at)
        is not true
  union all
  select 'trial_once', 'telegram_id:' || c.telegram_id, format('%s trials', count(*))
  from subscription.change c
  where c.kind = 'trial'
  group by c.telegram_id
  having count(*) > 1
  union all
  select 'trial_was_started', 'telegram_id:' || s.telegram_id, 'a trial that nobody started'
  from subscription.subscription s
  where s.period = 'trial'
    and not exists (select 1 from subscription.change c
                    where c.telegram_id = s.telegram_id and c.kind = 'trial')
  union all
  select 'reminder_is_checked_in_time', 'telegram_id:' || s.telegram_id,
         format('ends %s, activation %s, reminders looked at %s', s.expires_at, s.activation,
                s.reminder_check_at)
  from subscription.subscription s
  where s.reminder_check_at > s.expires_at
     or (s.activation = 'none' and s.reminder_check_at is not null)
  union all
  select 'identity_is_unique', 'telegram_id:' || min(s.telegram_id::bigint), -- not the key itself
         format('%s subscriptions have its identity', count(*))
  from subscription.subscription s
  group by s.vpn_uuid
  having count(*) > 1
$$;

comment on function ops._reconcile_periods is
  'Checks period_renewed_once, renewal_is_from_balance, trial_once, trial_was_started, '
  'reminder_is_checked_in_time, identity_is_unique.';
