\set number :base + :n * :clients + :client_id
\set n :n + 1
\set user :first_user + :number % :users
select purchase_id from billing.open_purchase(p_telegram_id => :user, p_tariff => 'basic', p_months => 1, p_promo_code => :code, p_idempotency_key => :number) \gset
select * from billing.pay_from_balance(p_telegram_id => :user, p_purchase_id => :purchase_id);
