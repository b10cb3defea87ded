-- Session of atlas_dba_login: Boris invites Anna. She buys; his cashback is promised in her transaction and paid in his
-- own turn, by referral.pay_due, which the worker runs every three seconds.
select is_new from account.register(
  p_telegram_id => 7, p_username => 'boris', p_language => 'en', p_start_payload => null);
select 'ref_' || code as link from referral.stats(p_telegram_id => 7) \gset
select is_new, referrer_id, bind_refusal from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => :'link');

-- Nobody is bound twice, or to oneself.
select referrer_id, bind_refusal from account.register(
  p_telegram_id => 7, p_username => 'boris', p_language => 'en', p_start_payload => :'link');

select is_admin from account.grant_admin(p_telegram_id => 7, p_note => 'first admin');
select available_kopecks from wallet.credit(
  p_telegram_id => 1001, p_amount_kopecks => 50000, p_admin_id => 7, p_note => 'welcome',
  p_idempotency_key => 'welcome-1001');
select purchase_id from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 1, p_promo_code => null,
  p_idempotency_key => 'k') \gset
select status, available_kopecks from billing.pay_from_balance(
  p_telegram_id => 1001, p_purchase_id => :'purchase_id');

-- Promised, not paid yet; then paid, once.
select available_kopecks from wallet.balance(p_telegram_id => 7);
select * from referral.pay_due(p_epoch => null, p_limit => 100);
select * from referral.pay_due(p_epoch => null, p_limit => 100);
select invited, paying, level, percent, earned_kopecks from referral.stats(p_telegram_id => 7);
select version, reason, amount_kopecks, available_kopecks, reference
from wallet.statement(p_telegram_id => 7, p_limit => 10, p_before_version => null);
select * from ops.reconcile();
