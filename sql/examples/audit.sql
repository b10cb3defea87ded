-- Session of atlas_dba_login: seals what has happened, and finds what was changed behind the functions' back.
\set SHOW_CONTEXT never
select is_new from account.register(
  p_telegram_id => 7, p_username => 'boris', p_language => 'en', p_start_payload => null);
select is_admin from account.grant_admin(p_telegram_id => 7, p_note => 'first admin');
select available_kopecks from wallet.credit(
  p_telegram_id => 7, p_amount_kopecks => 50000, p_admin_id => 7, p_note => 'welcome',
  p_idempotency_key => 'welcome-7');

-- The worker does this every few seconds. sealed_rows and head belong into a log outside the database.
select sealed_rows, head from audit.seal(p_limit => 5000) \gset
select is_intact, sealed = :sealed_rows as agrees, first_bad from audit.verify();
select is_intact, first_bad from audit.verify_against(p_sealed => :sealed_rows, p_head => :'head');

-- Another head than ours: somebody has made the chain anew, or it is the head of another database.
select is_intact from audit.verify_against(p_sealed => 0, p_head => repeat('5', 64));

-- What happened, the movements of money among it.
select action, actor_id, subject_id, details ->> 'amount_kopecks' as amount_kopecks
from audit.event
where action like 'ledger.%' or action like 'account.%'
order by occurred_at, action;

-- Nobody changes it, a DBA neither.
update ledger.transfer set amount_kopecks = 1;
delete from audit.entry;
truncate audit.batch;

-- Who waits for whom, and how the parts are.
select count(*) from ops.lock_wait;
select name, status, detail from ops.component where name in ('inbox', 'cashback', 'worker') order by name;
