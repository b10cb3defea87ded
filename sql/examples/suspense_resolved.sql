-- Session of atlas_dba_login: an admin finds out whose money it was that nobody could be credited with.
\set SHOW_CONTEXT never

select is_new from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select is_new from account.register(
  p_telegram_id => 1, p_username => 'boss', p_language => 'ru', p_start_payload => null);
select is_new from account.register(
  p_telegram_id => 2, p_username => 'second', p_language => 'ru', p_start_payload => null);
select * from account.grant_admin(p_telegram_id => 1, p_note => 'founder');
select * from account.grant_admin(p_telegram_id => 2, p_note => 'second');

-- Money for a purchase that we have never opened: it waits.
select payment_id, outcome, telegram_id from billing.settle_payment(
  p_provider => 'cryptobot', p_charge_id => 'invoice-17',
  p_purchase_id => '5f0c1d5e-0000-4000-8000-000000000000', p_payer_id => null,
  p_amount_minor => 14900, p_currency => 'RUB', p_raw => '{"status": "paid"}') \gset

-- It was Anna's. A null amount is as received; the same call again is a replay.
select outcome, is_replay from billing.resolve_suspense(
  p_admin_id => 1, p_payment_id => :payment_id, p_telegram_id => 1001, p_amount_kopecks => null,
  p_note => 'she sent a screenshot');
select outcome, is_replay from billing.resolve_suspense(
  p_admin_id => 1, p_payment_id => :payment_id, p_telegram_id => 1001, p_amount_kopecks => null,
  p_note => 'she sent a screenshot');

-- Another admin comes too late; DETAIL says what became of it, and by whom.
select * from billing.resolve_suspense(
  p_admin_id => 2, p_payment_id => :payment_id, p_telegram_id => 2, p_amount_kopecks => null,
  p_note => 'mine');
\echo :LAST_ERROR_SQLSTATE
select * from wallet.balance(p_telegram_id => 1001);
select telegram_id, amount_kopecks, template, arguments ->> 'reason' as reason
from notify.claim(p_holder => 'by hand', p_limit => 10, p_lease => '1 minute') n
cross join lateral (select (n.arguments ->> 'amount_kopecks')::bigint as amount_kopecks) a
where template = 'payment_credited';

-- Money that came past the providers: an admin has seen it, and it buys the purchase.
select purchase_id from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 1, p_promo_code => null,
  p_idempotency_key => 'k') \gset
select outcome, telegram_id, credited_kopecks, subscription_expires_at, is_replay
from billing.approve_manual(
  p_admin_id => 2, p_purchase_id => :'purchase_id', p_amount_kopecks => 15000,
  p_note => 'bank transfer of today');
select outcome, credited_kopecks, is_replay from billing.approve_manual(
  p_admin_id => 2, p_purchase_id => :'purchase_id', p_amount_kopecks => 15000,
  p_note => 'bank transfer of today');
select actor_id, action, subject_id ~ '^(payment:[0-9]+|purchase:.{36})$' as has_subject
from audit.event where action like 'billing.%' order by action;
select * from ops.reconcile();
