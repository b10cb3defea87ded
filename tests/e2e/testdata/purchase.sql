-- A purchase by hand, with functions of the contract only:
--   psql -v user=100001 -v admin=1 -f purchase.sql "$DSN_OF_THE_DBA"
-- The user has pressed /start, so that the bot may send the key; the admin is one already.

select 'credit', available_kopecks
from wallet.credit(
  p_telegram_id => :user, p_amount_kopecks => 50000, p_admin_id => :admin,
  p_note => 'by hand', p_idempotency_key => 'credit by hand');

select purchase_id, price_kopecks
from billing.open_purchase(
  p_telegram_id => :user, p_tariff => 'basic', p_months => 1, p_promo_code => null,
  p_idempotency_key => 'open by hand') \gset

\echo open|:price_kopecks

select 'pay', status, available_kopecks, is_replay
from billing.pay_from_balance(p_telegram_id => :user, p_purchase_id => :'purchase_id');

-- Once more: the first answer again.
select 'pay again', status, available_kopecks, is_replay
from billing.pay_from_balance(p_telegram_id => :user, p_purchase_id => :'purchase_id');

select 'subscription', status, tariff
from subscription.current(p_telegram_id => :user);

select 'ledger', reason, amount_kopecks
from wallet.statement(p_telegram_id => :user, p_limit => 10, p_before_version => null);
