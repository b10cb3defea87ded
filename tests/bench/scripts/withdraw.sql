-- Each user belongs to one client: a user has one pending request at a time.
\set number :base + :n * :clients + :client_id
\set user :first_user + :client_id + :clients * (:n % (:users / :clients))
\set n :n + 1
select withdrawal_id from withdrawal.request(p_telegram_id => :user, p_amount_kopecks => 50000, p_requisites => 'v1' || chr(58) || 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', p_idempotency_key => :number) \gset
select * from withdrawal.approve(p_admin_id => :admin, p_withdrawal_id => :withdrawal_id);
