-- Reconciles providers' payments with charges, purchases and the ledger.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_payments()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  with booked as (
    select t.telegram_id, t.payment_id,
           sum(t.amount_kopecks) filter (where t.credit_account = 'available') as credited,
           sum(t.amount_kopecks) filter (where t.credit_account = 'revenue') as revenue
    from ledger.transfer t
    where t.debit_account = 'provider'
    group by t.telegram_id, t.payment_id
  ), returned as (
    select t.telegram_id, t.payment_id,
           sum(t.amount_kopecks) filter (where t.credit_account = 'provider') as kopecks,
           sum(t.amount_kopecks) filter (where t.debit_account = 'debt') as debt
    from ledger.transfer t
    where t.reason = 'reversal'
    group by t.telegram_id, t.payment_id
  )
  select 'payment_has_one_charge', coalesce('payment:' || p.payment_id, 'charge:' || c.charge_id),
         format('%s %s', coalesce(p.provider, c.provider), coalesce(p.charge_id, c.charge_id))
  from billing.payment p
  full join billing.charge c
    on c.provider = p.provider and c.charge_id = p.charge_id
   and c.telegram_id = p.telegram_id and c.payment_id = p.payment_id
  where p.payment_id is null or c.payment_id is null
  union all
  select 'payment_is_booked', 'payment:' || coalesce(p.payment_id, b.payment_id),
         format('%s: worth %s, credited %s; ledger: credited %s, revenue %s', p.outcome,
                p.worth_kopecks, p.credited_kopecks, b.credited, b.revenue)
  from billing.payment p
  full join booked b on b.telegram_id = p.telegram_id and b.payment_id = p.payment_id
  where p.payment_id is null
     or p.credited_kopecks <> coalesce(b.credited, 0)
     or (p.outcome = 'suspense' and b.payment_id is not null)
     or (p.outcome in ('applied', 'credited')
         and p.worth_kopecks <> coalesce(b.credited, 0) + coalesce(b.revenue, 0))
  union all
  select 'payment_buys_its_purchase', 'payment:' || p.payment_id,
         format('applied to purchase %s, which is %s by payment %s', p.purchase_id, u.status,
                u.payment_id)
  from billing.payment p
  left join billing.purchase u
    on u.telegram_id = p.telegram_id and u.purchase_id = p.purchase_id
  where p.outcome = 'applied'
    and (u.payment_id, u.status in ('paid', 'refunded')) is distinct from (p.payment_id, true)
  union all
  select 'purchase_names_its_payment', 'purchase:' || u.purchase_id,
         format('payment %s is not applied to it', u.payment_id)
  from billing.purchase u
  where u.payment_id is not null
    and not exists (
      select 1 from billing.payment p
      where p.telegram_id = u.telegram_id and p.payment_id = u.payment_id
        and p.purchase_id = u.purchase_id and p.outcome in ('applied', 'reversed'))
  union all
  select 'reversal_returns_all', 'payment:' || coalesce(p.payment_id, r.payment_id),
         format('%s: came %s, went back %s; debt %s, recorded %s', p.outcome,
                p.worth_kopecks, r.kopecks, r.debt, p.reversal_debt_kopecks)
  from (select y.* from billing.payment y where y.outcome = 'reversed') p
  full join returned r on r.telegram_id = p.telegram_id and r.payment_id = p.payment_id
  where p.payment_id is null
     or (coalesce(p.worth_kopecks, 0), p.reversal_debt_kopecks)
        is distinct from (coalesce(r.kopecks, 0), coalesce(r.debt, 0))
  union all
  select 'reversal_undoes_its_purchase', 'payment:' || p.payment_id,
         format('purchase %s is %s', u.purchase_id, u.status)
  from billing.payment p
  join billing.purchase u on u.telegram_id = p.telegram_id and u.payment_id = p.payment_id
  where p.outcome = 'reversed' and u.kind = 'subscription' and u.status <> 'refunded'
  union all
  select 'invoice_of_one_purchase', 'invoice:' || n.provider || ' ' || n.invoice_id,
         format('%s purchases', count(*))
  from billing.invoice n
  group by n.provider, n.invoice_id having count(*) > 1
$$;

comment on function ops._reconcile_payments is
  'Checks payment_has_one_charge, payment_is_booked, payment_buys_its_purchase, '
  'purchase_names_its_payment, reversal_returns_all, reversal_undoes_its_purchase, '
  'invoice_of_one_purchase.';
