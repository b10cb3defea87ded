-- Reconciles what was taken back with purchases, the ledger, subscriptions and cashback.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_refunds()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  with booked as (
    select t.telegram_id, t.purchase_id, count(*) as times, sum(t.amount_kopecks) as kopecks
    from ledger.transfer t
    where t.reason = 'refund'
    group by t.telegram_id, t.purchase_id
  )
  select 'refunded_purchase_has_refund', 'purchase:' || coalesce(u.purchase_id, r.purchase_id),
         format('status refunded: %s; %s', u.purchase_id is not null, coalesce(r.kind::text,
                                                                               'no refund'))
  from (select p.* from billing.purchase p
        where p.status = 'refunded' and p.kind = 'subscription') u
  full join billing.refund r on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
  where u.purchase_id is null or r.purchase_id is null
  union all
  select 'refund_is_booked', 'purchase:' || coalesce(r.purchase_id, b.purchase_id),
         format('%s of %s; ledger: %s times, %s', r.kind, r.refunded_kopecks,
                coalesce(b.times, 0), coalesce(b.kopecks, 0))
  from (select y.*, case y.kind when 'refund' then u.price_kopecks else 0 end as due_kopecks
        from billing.refund y
        join billing.purchase u on u.telegram_id = y.telegram_id and u.purchase_id = y.purchase_id
       ) r
  full join booked b on b.telegram_id = r.telegram_id and b.purchase_id = r.purchase_id
  where (r.refunded_kopecks, r.due_kopecks, coalesce(b.times, 0))
        is distinct from (coalesce(b.kopecks, 0)::core.price_kopecks,
                          coalesce(b.kopecks, 0)::core.price_kopecks,
                          (coalesce(b.kopecks, 0) > 0)::int)
  union all
  select 'refund_by_reversal_has_payment', 'purchase:' || r.purchase_id,
         'taken back by the provider, whose payment was not'
  from billing.refund r
  where r.kind = 'reversal'
    and not exists (
      select 1 from billing.purchase u
      join billing.payment p on p.telegram_id = u.telegram_id and p.payment_id = u.payment_id
      where u.telegram_id = r.telegram_id and u.purchase_id = r.purchase_id
        and p.outcome = 'reversed')
  union all
  select 'refund_has_change',
         coalesce('purchase:' || r.purchase_id, 'change:' || c.change_id),
         format('%s, change %s; change %s left %s', r.kind, r.change_id, c.change_id,
                c.after_expires_at)
  from (select y.* from billing.refund y where y.change_id is not null) r
  full join (select y.* from subscription.change y where y.kind in ('refund', 'reversal')) c
    on c.telegram_id = r.telegram_id and c.change_id = r.change_id
  where (r.purchase_id, r.kind::text, r.subscription_expires_at)
        is distinct from (c.purchase_id, c.kind::text, c.after_expires_at)
  union all
  select 'refund_claws_back', 'purchase:' || r.purchase_id,
         format('referrer %s has no clawback task', a.referrer_id)
  from billing.refund r
  join billing.purchase u on u.telegram_id = r.telegram_id and u.purchase_id = r.purchase_id
  join account.account a on a.telegram_id = r.telegram_id
  where a.referrer_id is not null and u.price_kopecks > 0
    and not exists (
      select 1 from outbox.task t
      where t.telegram_id = a.referrer_id and t.kind = 'cashback' and t.name = 'clawback'
        and t.purchase_id = r.purchase_id)
$$;

comment on function ops._reconcile_refunds is
  'Checks refunded_purchase_has_refund, refund_is_booked, refund_by_reversal_has_payment, '
  'refund_has_change, refund_claws_back.';
