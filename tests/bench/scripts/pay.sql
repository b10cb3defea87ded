\set number :base + :n * :clients + :client_id
\set n :n + 1
\set user :first_user + :number % :users
select * from billing.pay_from_balance(p_telegram_id => :user, p_purchase_id => lpad(:number, 32, '0')::uuid);
