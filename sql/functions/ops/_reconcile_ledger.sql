-- Reconciles wallets with the ledger, and each user's chain with itself.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_ledger()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  with chain as (
    select t.telegram_id, t.version, t.available_kopecks, t.held_kopecks, t.debt_kopecks,
           lag(t.version, 1, 0::bigint) over w as version_before,
           lag(t.available_kopecks::bigint, 1, 0::bigint) over w + t.amount_kopecks
             * ((t.credit_account = 'available')::int - (t.debit_account = 'available')::int)
             as available_expected,
           lag(t.held_kopecks::bigint, 1, 0::bigint) over w + t.amount_kopecks
             * ((t.credit_account = 'held')::int - (t.debit_account = 'held')::int)
             as held_expected,
           lag(t.debt_kopecks::bigint, 1, 0::bigint) over w - t.amount_kopecks
             * ((t.credit_account = 'debt')::int - (t.debit_account = 'debt')::int)
             as debt_expected,
           row_number() over (partition by t.telegram_id order by t.version desc) = 1 as is_last
    from ledger.transfer t
    window w as (partition by t.telegram_id order by t.version)
  )
  select 'version_chain', 'telegram_id:' || c.telegram_id,
         format('version %s follows %s', c.version, c.version_before)
  from chain c where c.version <> c.version_before + 1
  union all
  select 'balance_chain', 'telegram_id:' || c.telegram_id,
         format('version %s has %s, %s, %s; the row before makes it %s, %s, %s', c.version,
                c.available_kopecks, c.held_kopecks, c.debt_kopecks,
                c.available_expected, c.held_expected, c.debt_expected)
  from chain c
  where (c.available_kopecks, c.held_kopecks, c.debt_kopecks)
        <> (c.available_expected, c.held_expected, c.debt_expected)
  union all
  select 'wallet_equals_ledger', 'telegram_id:' || coalesce(w.telegram_id, c.telegram_id),
         format('wallet: version %s, %s, %s, %s; ledger: version %s, %s, %s, %s', w.version,
                w.available_kopecks, w.held_kopecks, w.debt_kopecks,
                c.version, c.available_kopecks, c.held_kopecks, c.debt_kopecks)
  from wallet.wallet w
  full join (select l.* from chain l where l.is_last) c on c.telegram_id = w.telegram_id
  where (w.version, w.available_kopecks, w.held_kopecks, w.debt_kopecks)
        is distinct from (coalesce(c.version, 0), coalesce(c.available_kopecks, 0),
                          coalesce(c.held_kopecks, 0), coalesce(c.debt_kopecks, 0))
  union all
  select 'balance_not_negative', 'telegram_id:' || w.telegram_id,
         format('%s, %s, %s', w.available_kopecks, w.held_kopecks, w.debt_kopecks)
  from wallet.wallet w
  where least(w.available_kopecks, w.held_kopecks, w.debt_kopecks) < 0
$$;

comment on function ops._reconcile_ledger is
  'Checks version_chain, balance_chain, wallet_equals_ledger, balance_not_negative.';
