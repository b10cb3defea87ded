-- Session of atlas_dba_login: a tour. Money comes, buys with a code, goes back, and leaves; then the books.

-- Two users, the second one an admin.
select telegram_id, is_new from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select telegram_id, is_new from account.register(
  p_telegram_id => 1, p_username => 'boss', p_language => 'ru', p_start_payload => null);
select * from account.grant_admin(p_telegram_id => 1, p_note => 'founder');

-- 2000 roubles for Anna. The key makes it safe to send again.
select available_kopecks, held_kopecks, is_replay from wallet.credit(
  p_telegram_id => 1001, p_amount_kopecks => 200000, p_admin_id => 1,
  p_note => 'transfer of 5 March', p_idempotency_key => 'tour-credit');

-- A code: a quarter off, ten uses in all, one each.
select code, is_replay from promo.issue(
  p_admin_id => 1, p_code => 'tour25', p_discount_percent => 25, p_max_uses => 10,
  p_per_user_limit => 1, p_expires_at => null, p_idempotency_key => 'tour-code');

-- A purchase with it: the price and the use are hers from the moment it is open.
select purchase_id, price_kopecks, discount_kind, discount_percent from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'plus', p_months => 3, p_promo_code => 'TOUR25',
  p_idempotency_key => 'tour-purchase') \gset
select :price_kopecks as price_kopecks, :'discount_kind' as discount_kind;
select uses_left from promo.validate(p_telegram_id => 1, p_code => 'TOUR25');
select status, available_kopecks, is_replay from billing.pay_from_balance(
  p_telegram_id => 1001, p_purchase_id => :'purchase_id');
select status, tariff, expires_at, activation from subscription.current(p_telegram_id => 1001);

-- It goes back: the money to the balance, the period away. The use does not come back.
select refunded_kopecks, subscription_expires_at, is_replay from billing.refund_purchase(
  p_admin_id => 1, p_purchase_id => :'purchase_id', p_reason => 'bought by mistake');
select status from subscription.current(p_telegram_id => 1001);

-- Anna takes 1500 roubles out; requisites come sealed (bin/atlas-migrate seal-requisites).
select withdrawal_id, status, available_kopecks, held_kopecks from withdrawal.request(
  p_telegram_id => 1001, p_amount_kopecks => 150000, p_requisites => 'v1:AAECAwQFBgcICQ==',
  p_idempotency_key => 'tour-withdrawal') \gset
select :'status' as status, :available_kopecks as available_kopecks, :held_kopecks as held_kopecks;
select status, approvals, is_replay from withdrawal.approve(
  p_admin_id => 1, p_withdrawal_id => :withdrawal_id);

-- Her statement, and her balance at a moment of the past or now.
select version, reason, amount_kopecks, available_kopecks, held_kopecks from wallet.statement(
  p_telegram_id => 1001, p_limit => 20, p_before_version => null);
select * from wallet.balance_at(p_telegram_id => 1001, p_at => core.now());

-- The books: no rows when they are right.
select * from ops.reconcile();
