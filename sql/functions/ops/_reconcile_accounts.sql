-- Reconciles users with what belongs to them: the foreign keys that the purchase path does without.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_accounts()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  select 'user_has_wallet', 'telegram_id:' || a.telegram_id, 'no wallet'
  from account.account a
  where not exists (select 1 from wallet.wallet w where w.telegram_id = a.telegram_id)
  union all
  select 'row_has_user', o.name || ' of telegram_id:' || o.telegram_id, 'no such user'
  from (select 'wallet' as name, w.telegram_id from wallet.wallet w
        union select 'transfer', t.telegram_id from ledger.transfer t
        union select 'purchase', u.telegram_id from billing.purchase u
        union select 'subscription', s.telegram_id from subscription.subscription s
        union select 'task', k.telegram_id from outbox.task k) o
  where not exists (select 1 from account.account a where a.telegram_id = o.telegram_id)
  union all
  select 'referrer_is_older', 'telegram_id:' || a.telegram_id,
         format('referrer %s is no user, or came later', a.referrer_id)
  from account.account a
  where a.referrer_id is not null
    and not exists (select 1 from account.account r
                    where r.telegram_id = a.referrer_id and r.registered_at <= a.registered_at)
  union all
  select 'referral_code_unique', 'code:' || a.referral_code, format('%s users', count(*))
  from account.account a
  group by a.referral_code having count(*) > 1
$$;

comment on function ops._reconcile_accounts is
  'Checks user_has_wallet, row_has_user, referrer_is_older (hence no cycle), referral_code_unique.';
