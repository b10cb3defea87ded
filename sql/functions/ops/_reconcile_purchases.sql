-- Reconciles purchases with the ledger and the outbox.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_purchases()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  with paid as (
    select u.telegram_id, u.purchase_id, u.kind, u.tariff, u.months, u.price_kopecks,
           u.paid_with, u.payment_id, u.provision_task_id, u.after_expires_at,
           u.status in ('paid', 'refunded') as is_paid
    from billing.purchase u
  ), charged as (
    select t.telegram_id, t.purchase_id, count(*) as times, sum(t.amount_kopecks) as kopecks
    from ledger.transfer t
    where t.reason = 'purchase'
    group by t.telegram_id, t.purchase_id
  )
  select 'balance_purchase_charged_once', 'purchase:' || coalesce(p.purchase_id, c.purchase_id),
         format('price %s, charged %s times, %s kopecks', p.price_kopecks,
                coalesce(c.times, 0), coalesce(c.kopecks, 0))
  from (select b.* from paid b where b.is_paid and b.paid_with = 'balance') p
  full join charged c on c.telegram_id = p.telegram_id and c.purchase_id = p.purchase_id
  where (p.price_kopecks, 1) is distinct from (c.kopecks, c.times)
  union all
  select 'paid_purchase_says_how', 'purchase:' || p.purchase_id,
         format('%s, paid with %s, payment %s', case when p.is_paid then 'paid' else 'not paid' end,
                p.paid_with, p.payment_id)
  from paid p
  where p.is_paid <> (p.paid_with is not null)
     or (p.paid_with = 'free' and p.price_kopecks > 0)
     or (p.is_paid and p.paid_with not in ('balance', 'free') and p.payment_id is null)
  union all
  select 'paid_purchase_has_job', 'purchase:' || p.purchase_id,
         format('provisioning job %s is missing', p.provision_task_id)
  from paid p
  where p.is_paid and p.kind = 'subscription'
    and not exists (
      select 1 from outbox.task t
      where t.telegram_id = p.telegram_id and t.task_id = p.provision_task_id
        and t.kind = 'provision' and t.purchase_id = p.purchase_id)
  union all
  select 'subscription_purchase_is_whole', 'purchase:' || p.purchase_id,
         format('tariff %s, months %s, end %s', p.tariff, p.months, p.after_expires_at)
  from paid p
  where (p.kind = 'subscription') <> (p.tariff is not null and p.months is not null)
     or (p.kind = 'subscription' and p.is_paid <> (p.after_expires_at is not null))
$$;

comment on function ops._reconcile_purchases is
  'Checks balance_purchase_charged_once, paid_purchase_says_how, paid_purchase_has_job, '
  'subscription_purchase_is_whole.';
