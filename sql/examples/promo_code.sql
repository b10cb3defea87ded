-- Session of atlas_dba_login: a promo code from its issue to its end.

select telegram_id from account.register(
  p_telegram_id => 1, p_username => 'boss', p_language => 'ru', p_start_payload => null);
select * from account.grant_admin(p_telegram_id => 1, p_note => 'founder');
select telegram_id from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select telegram_id from account.register(
  p_telegram_id => 1002, p_username => 'bert', p_language => 'en', p_start_payload => null);

-- One use in all, half the price, until May. Run it twice: it is one code.
select * from promo.issue(
  p_admin_id => 1, p_code => 'Spring-27', p_discount_percent => 50, p_max_uses => 1,
  p_per_user_limit => 1, p_expires_at => '2027-05-01 00:00 UTC', p_idempotency_key => 'spring');
select * from promo.issue(
  p_admin_id => 1, p_code => 'spring27', p_discount_percent => 50, p_max_uses => 1,
  p_per_user_limit => 1, p_expires_at => '2027-05-01 00:00 UTC', p_idempotency_key => 'spring');
select * from promo.issue(
  p_admin_id => 1, p_code => 'SPRING27', p_discount_percent => 50, p_max_uses => 1,
  p_per_user_limit => 1, p_expires_at => '2027-05-01 00:00 UTC', p_idempotency_key => 'spring');

-- Anna asks, and opens: the use is hers while the purchase is open.
select * from promo.validate(p_telegram_id => 1001, p_code => ' spring27 ');
select price_kopecks, discount_kind, discount_percent from billing.quote(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 1, p_promo_code => 'spring27');
select purchase_id, price_kopecks, discount_kind, expires_at from billing.open_purchase(
  p_telegram_id => 1001, p_tariff => 'basic', p_months => 1, p_promo_code => 'spring27',
  p_idempotency_key => 'anna-1') \gset

-- Bert comes too late, until Anna changes her mind or an admin allows more.
select * from promo.validate(p_telegram_id => 1002, p_code => 'SPRING27');
select status, is_replay from billing.cancel_purchase(
  p_telegram_id => 1001, p_purchase_id => :'purchase_id');
select * from promo.validate(p_telegram_id => 1002, p_code => 'SPRING27');
select * from promo.set_limit(p_admin_id => 1, p_code => 'SPRING27', p_max_uses => 100);
select price_kopecks, discount_kind from billing.open_purchase(
  p_telegram_id => 1002, p_tariff => 'plus', p_months => 12, p_promo_code => 'SPRING27',
  p_idempotency_key => 'bert-1');
select * from promo.validate(p_telegram_id => 1001, p_code => 'SPRING27');

-- The end: open purchases keep their price, nobody opens another.
select * from promo.disable(p_admin_id => 1, p_code => 'SPRING27');
select * from promo.validate(p_telegram_id => 1001, p_code => 'SPRING27');

-- What happened, and whether the books are right.
select actor_id, action, subject_id, details from audit.event
where action like 'promo.%' order by occurred_at, action;
select * from ops.reconcile();
