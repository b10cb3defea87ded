-- Session of atlas_dba_login: Anna takes money out. It is held from the request to the end; requisites come sealed from
-- the application (atlas-migrate seal-requisites makes one for a session like this).
\set SHOW_CONTEXT never
select is_new from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select is_new from account.register(
  p_telegram_id => 7, p_username => 'boris', p_language => 'en', p_start_payload => null);
select is_admin from account.grant_admin(p_telegram_id => 7, p_note => 'first admin');
select available_kopecks from wallet.credit(
  p_telegram_id => 1001, p_amount_kopecks => 150000, p_admin_id => 7, p_note => 'prize',
  p_idempotency_key => 'prize-1001');

select minimum_kopecks, per_day, four_eyes_kopecks from withdrawal.options();
select withdrawal_id, status, available_kopecks, held_kopecks, is_replay from withdrawal.request(
  p_telegram_id => 1001, p_amount_kopecks => 60000,
  p_requisites => 'v1:c2VhbGVkIGJ5IHRoZSBhcHBsaWNhdGlvbg==', p_idempotency_key => 'first') \gset
\echo :withdrawal_id :status :available_kopecks :held_kopecks

-- One at a time; the requisites never in plain text.
select * from withdrawal.request(
  p_telegram_id => 1001, p_amount_kopecks => 60000,
  p_requisites => 'v1:c2VhbGVkIGJ5IHRoZSBhcHBsaWNhdGlvbg==', p_idempotency_key => 'second');
\echo :LAST_ERROR_SQLSTATE
select * from withdrawal.request(
  p_telegram_id => 1001, p_amount_kopecks => 60000, p_requisites => 'card 4111 1111 1111 1111',
  p_idempotency_key => 'third');
\echo :LAST_ERROR_SQLSTATE

select withdrawal_id, telegram_id, username, amount_kopecks, approvals, approvals_needed, requisites
from withdrawal.list_pending(p_admin_id => 7, p_limit => 10);
select * from withdrawal.approve(p_admin_id => 7, p_withdrawal_id => :withdrawal_id);
select * from withdrawal.approve(p_admin_id => 7, p_withdrawal_id => :withdrawal_id);
select * from withdrawal.reject(
  p_admin_id => 7, p_withdrawal_id => :withdrawal_id, p_reason => 'too late');
\echo :LAST_ERROR_SQLSTATE

-- The dialogue's way: a draft, then its id alone.
select draft_id from withdrawal.draft(
  p_telegram_id => 1001, p_amount_kopecks => 90000,
  p_requisites => 'v1:c2VhbGVkIGJ5IHRoZSBhcHBsaWNhdGlvbg==', p_idempotency_key => 'draft') \gset
select withdrawal_id, status, held_kopecks from withdrawal.submit(
  p_telegram_id => 1001, p_draft_id => :'draft_id') \gset
select * from withdrawal.cancel(p_telegram_id => 1001, p_withdrawal_id => :withdrawal_id);

select withdrawal_id, status, amount_kopecks from withdrawal.latest(p_telegram_id => 1001, p_limit => 10);
select version, reason, amount_kopecks, available_kopecks, held_kopecks, reference
from wallet.statement(p_telegram_id => 1001, p_limit => 10, p_before_version => null);
select action, actor_id, subject_id from audit.event
where subject_id like 'withdrawal:%' order by occurred_at, action desc;
select * from ops.reconcile();
