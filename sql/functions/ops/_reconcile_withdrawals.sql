-- Reconciles withdrawals with the ledger, with what is held, and with who decided.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_withdrawals()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  with booked as (
    select t.withdrawal_id, t.telegram_id,
           count(*) filter (where m.is_hold) as holds,
           count(*) filter (where m.is_payout) as payouts,
           count(*) filter (where m.is_return) as returns,
           count(*) filter (where not (m.is_hold or m.is_payout or m.is_return)) as others,
           min(t.amount_kopecks) as least_kopecks, max(t.amount_kopecks) as most_kopecks
    from ledger.transfer t
    cross join lateral (
      select (t.reason, t.debit_account, t.credit_account)
               = ('withdrawal_hold', 'available', 'held') as is_hold,
             (t.reason, t.debit_account, t.credit_account)
               = ('withdrawal_payout', 'held', 'payout') as is_payout,
             (t.reason, t.debit_account, t.credit_account)
               = ('withdrawal_return', 'held', 'available') as is_return) m
    where t.withdrawal_id is not null
       or t.reason in ('withdrawal_hold', 'withdrawal_payout', 'withdrawal_return')
    group by t.withdrawal_id, t.telegram_id
  )
  select 'held_is_pending_withdrawals', 'telegram_id:' || coalesce(w.telegram_id, p.telegram_id),
         format('held %s, pending withdrawals %s', w.held_kopecks, p.kopecks)
  from wallet.wallet w
  full join (select x.telegram_id, sum(x.amount_kopecks) as kopecks from withdrawal.withdrawal x
             where x.status = 'pending' group by x.telegram_id) p on p.telegram_id = w.telegram_id
  where w.held_kopecks is distinct from coalesce(p.kopecks, 0)
  union all
  select 'withdrawal_is_booked', 'withdrawal:' || coalesce(w.withdrawal_id, b.withdrawal_id, 0),
         format('%s of %s by %s; ledger: %s held, %s paid out, %s returned, %s else, %s to %s',
                w.status, w.amount_kopecks, coalesce(w.telegram_id, b.telegram_id), b.holds,
                b.payouts, b.returns, b.others, b.least_kopecks, b.most_kopecks)
  from withdrawal.withdrawal w
  full join booked b on b.telegram_id = w.telegram_id and b.withdrawal_id = w.withdrawal_id
  where (b.holds, b.payouts, b.returns, b.others, b.least_kopecks, b.most_kopecks)
        is distinct from (1::bigint, (w.status = 'approved')::int::bigint,
                          (w.status in ('rejected', 'cancelled'))::int::bigint, 0::bigint,
                          w.amount_kopecks::bigint, w.amount_kopecks::bigint)
  union all
  select 'withdrawal_is_approved_enough', 'withdrawal:' || w.withdrawal_id,
         format('%s with %s of %s approvals', w.status, count(a.admin_id), w.approvals_needed)
  from withdrawal.withdrawal w
  left join withdrawal.approval a
    on a.telegram_id = w.telegram_id and a.withdrawal_id = w.withdrawal_id
  where w.status = 'approved'
  group by w.telegram_id, w.withdrawal_id
  having count(a.admin_id) < w.approvals_needed or not bool_or(a.admin_id = w.ended_by)
  union all
  select 'withdrawal_is_ended_by_whom_it_says', 'withdrawal:' || w.withdrawal_id,
         format('%s by %s, of %s', w.status, w.ended_by, w.telegram_id)
  from withdrawal.withdrawal w
  where (w.status = 'pending') <> (w.ended_by is null)
     or (w.status = 'cancelled' and w.ended_by <> w.telegram_id)
     or (w.status = 'approved' and w.ended_by = w.telegram_id)
     or (w.status = 'pending' and w.requisites_purge_at is not null)
$$;

comment on function ops._reconcile_withdrawals is
  'Checks held_is_pending_withdrawals, withdrawal_is_booked (one hold, one way out),'
  ' withdrawal_is_approved_enough, withdrawal_is_ended_by_whom_it_says.';
