-- Session of atlas_dba_login: money comes that nobody can be credited with.

select is_new from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select is_new from account.register(
  p_telegram_id => 1, p_username => 'boss', p_language => 'ru', p_start_payload => null);
select * from account.grant_admin(p_telegram_id => 1, p_note => 'founder');

-- Crypto Pay reports 149 roubles for a purchase that we have never opened. Money is never refused: it is kept, in
-- suspense, and no balance moves.
select payment_id, outcome, telegram_id, credited_kopecks, is_replay from billing.settle_payment(
  p_provider => 'cryptobot', p_charge_id => 'invoice-17',
  p_purchase_id => '5f0c1d5e-0000-4000-8000-000000000000', p_payer_id => null,
  p_amount_minor => 14900, p_currency => 'RUB', p_raw => '{"status": "paid"}');

-- The poller sees the same invoice: a replay. With another amount it is a replay, too, and one more alarm.
select outcome, is_replay from billing.settle_payment(
  p_provider => 'cryptobot', p_charge_id => 'invoice-17',
  p_purchase_id => '5f0c1d5e-0000-4000-8000-000000000000', p_payer_id => null,
  p_amount_minor => 14900, p_currency => 'RUB', p_raw => null);
select outcome, is_replay from billing.settle_payment(
  p_provider => 'cryptobot', p_charge_id => 'invoice-17',
  p_purchase_id => '5f0c1d5e-0000-4000-8000-000000000000', p_payer_id => null,
  p_amount_minor => 99900, p_currency => 'RUB', p_raw => null);

-- Her own purchase, paid in a currency that we do not take: the purchase stays open.
select purchase_id from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 1, p_promo_code => null,
  p_idempotency_key => 'k') \gset
select outcome, telegram_id, is_replay from billing.settle_payment(
  p_provider => 'cryptobot', p_charge_id => 'invoice-18', p_purchase_id => :'purchase_id',
  p_payer_id => null, p_amount_minor => 200, p_currency => 'USD', p_raw => null);
select status, price_kopecks from billing.show_purchase(
  p_telegram_id => 1001, p_purchase_id => :'purchase_id');

-- The admins are told, the audit log has it, and the books are right all the same.
select action, subject_id, details ->> 'detail' as detail
from audit.event where action like 'alarm.%' order by occurred_at, subject_id, detail;
select telegram_id, template, arguments ->> 'alarm' as alarm, arguments ->> 'detail' as detail
from notify.claim(p_holder => 'by hand', p_limit => 10, p_lease => '1 minute');
select * from wallet.balance(p_telegram_id => 1001);
select * from ops.reconcile();
