-- Session of atlas_dba_login: a purchase is given back by an admin, a payment is taken back by its provider.
\set SHOW_CONTEXT never

select is_new from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select is_new from account.register(
  p_telegram_id => 1, p_username => 'boss', p_language => 'ru', p_start_payload => null);
select * from account.grant_admin(p_telegram_id => 1, p_note => 'founder');
select available_kopecks from wallet.credit(
  p_telegram_id => 1001, p_amount_kopecks => 100000, p_admin_id => 1, p_note => 'welcome',
  p_idempotency_key => 'welcome-1001');

-- Three months of basic, then a month of plus on top: the rest converts.
select purchase_id from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 3, p_promo_code => null,
  p_idempotency_key => 'basic') \gset
select status, available_kopecks, subscription_expires_at
from billing.pay_from_balance(p_telegram_id => 1001, p_purchase_id => :'purchase_id');
select purchase_id as plus_id from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'plus', p_months => 1, p_promo_code => null,
  p_idempotency_key => 'plus') \gset
select status, available_kopecks, subscription_expires_at
from billing.pay_from_balance(p_telegram_id => 1001, p_purchase_id => :'plus_id');

-- The latest purchase's refund restores what was there before it: basic, to the same end.
select refunded_kopecks, subscription_expires_at, is_replay from billing.refund_purchase(
  p_admin_id => 1, p_purchase_id => :'plus_id', p_reason => 'bought by mistake');
select status, tariff, expires_at from subscription.current(p_telegram_id => 1001);

-- Called again, nothing moves: the first answer.
select refunded_kopecks, subscription_expires_at, is_replay from billing.refund_purchase(
  p_admin_id => 1, p_purchase_id => :'plus_id', p_reason => 'bought by mistake');

-- A top-up from Crypto Pay, spent; then the provider takes the money back. What is not there any more is debt.
select purchase_id as topup_id from billing.open_topup(
  p_telegram_id => 1001, p_amount_kopecks => 25000, p_idempotency_key => 'topup') \gset
select outcome, credited_kopecks from billing.settle_payment(
  p_provider => 'cryptobot', p_charge_id => 'invoice-17', p_purchase_id => :'topup_id',
  p_payer_id => null, p_amount_minor => 25000, p_currency => 'RUB', p_raw => null);
select available_kopecks from wallet.debit(
  p_telegram_id => 1001, p_amount_kopecks => 70000, p_admin_id => 1, p_note => 'paid out in cash',
  p_idempotency_key => 'cash');
select outcome, debt_kopecks, is_replay from billing.reverse_payment(
  p_provider => 'cryptobot', p_charge_id => 'invoice-17', p_amount_minor => 25000,
  p_currency => 'RUB', p_raw => '{"status": "chargeback"}');
select * from wallet.balance(p_telegram_id => 1001);

-- The whole story, and what she had at a moment; a top-up has nothing to give back.
select version, reason, amount_kopecks, available_kopecks, moved_kopecks
from wallet.statement(p_telegram_id => 1001, p_limit => 20, p_before_version => null);
select * from wallet.balance_at(p_telegram_id => 1001, p_at => '2027-03-05 09:59:59+00');
select * from billing.refund_purchase(
  p_admin_id => 1, p_purchase_id => :'topup_id', p_reason => 'by mistake');
\echo :LAST_ERROR_SQLSTATE
select was_different, available_kopecks, debt_kopecks, version
from ops.rebuild_wallet(p_telegram_id => 1001);
select * from ops.reconcile();
