-- Session of atlas_dba_login: what refusals look like. The message is constant, DETAIL has the values, HINT says what
-- to do, :LAST_ERROR_SQLSTATE is what programs compare. A refusal changes nothing.
\set SHOW_CONTEXT never

select is_new from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);

-- Not enough money; not hers; no such tariff; not a number that can be meant.
select purchase_id from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 1, p_promo_code => null,
  p_idempotency_key => 'k') \gset
select * from billing.pay_from_balance(p_telegram_id => 1001, p_purchase_id => :'purchase_id');
\echo :LAST_ERROR_SQLSTATE
select * from billing.pay_from_balance(
  p_telegram_id => 1001, p_purchase_id => '5f0c1d5e-0000-4000-8000-000000000000');
\echo :LAST_ERROR_SQLSTATE
select * from billing.quote(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 2, p_promo_code => null);
\echo :LAST_ERROR_SQLSTATE
select * from billing.open_topup(
  p_telegram_id => 1001, p_amount_kopecks => -5, p_idempotency_key => 'k');
\echo :LAST_ERROR_SQLSTATE

-- A key says "this very call": with other arguments it is refused.
select * from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'plus', p_months => 1, p_promo_code => null,
  p_idempotency_key => 'k');
\echo :LAST_ERROR_SQLSTATE

-- Functions that write take READ COMMITTED only.
begin isolation level repeatable read;
select * from billing.cancel_purchase(p_telegram_id => 1001, p_purchase_id => :'purchase_id');
\echo :LAST_ERROR_SQLSTATE
rollback;
