-- Session of atlas_dba_login: a purchase made by hand, with contract functions only.

-- A person comes, a second one becomes the first admin.
select telegram_id, is_new, language from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select telegram_id, is_new, language from account.register(
  p_telegram_id => 1, p_username => 'boss', p_language => 'ru', p_start_payload => null);
select * from account.grant_admin(p_telegram_id => 1, p_note => 'founder');

-- The admin puts 500 roubles on the balance. Run it twice: it is booked once.
select * from wallet.credit(
  p_telegram_id => 1001, p_amount_kopecks => 50000, p_admin_id => 1, p_note => 'transfer of 5 March',
  p_idempotency_key => 'by-hand-1');
select * from wallet.credit(
  p_telegram_id => 1001, p_amount_kopecks => 50000, p_admin_id => 1, p_note => 'transfer of 5 March',
  p_idempotency_key => 'by-hand-1');

-- What is sold, and what it would cost her.
select tariff, months, list_kopecks, device_limit from billing.list_prices() where months in (1, 12);
select * from billing.quote(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 1, p_promo_code => null);

-- Open it: the price is fixed now. psql keeps the id in :purchase_id.
select purchase_id, price_kopecks, expires_at, is_replay from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 1, p_promo_code => null,
  p_idempotency_key => 'by-hand-2') \gset
select * from billing.ways_to_pay(p_telegram_id => 1001, p_purchase_id => :'purchase_id');

-- Pay it, twice: one charge, one period.
select status, available_kopecks, subscription_expires_at, is_replay
from billing.pay_from_balance(p_telegram_id => 1001, p_purchase_id => :'purchase_id');
select status, available_kopecks, subscription_expires_at, is_replay
from billing.pay_from_balance(p_telegram_id => 1001, p_purchase_id => :'purchase_id');

-- The key is on its way; the worker's part by hand.
select status, tariff, expires_at, activation from subscription.current(p_telegram_id => 1001);
select job_id, lease_token, action, vpn_uuid, tariff, device_limit, attempt from vpn.claim_jobs(
  p_holder => 'by hand', p_limit => 1, p_lease => '1 minute') \gset
select is_replay from vpn.complete_job(
  p_job_id => :job_id, p_lease_token => :'lease_token', p_key_uri => 'vless://example');
select status, activation, key_uri from subscription.current(p_telegram_id => 1001);

-- What she will be told.
select template, language, arguments from notify.claim(
  p_holder => 'by hand', p_limit => 10, p_lease => '1 minute');

-- The books.
select version, reason, amount_kopecks, available_kopecks, note from wallet.statement(
  p_telegram_id => 1001, p_limit => 10, p_before_version => null);
select actor_id, action, subject_id from audit.event order by occurred_at, action;
select * from ops.reconcile();
