-- Session of atlas_dba_login: a trial, time given and taken, a renewal, a new key, by hand.

select telegram_id from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select telegram_id from account.register(
  p_telegram_id => 1, p_username => 'boss', p_language => 'ru', p_start_payload => null);
select * from account.grant_admin(p_telegram_id => 1, p_note => 'founder');

-- Her one trial.
select * from subscription.start_trial(p_telegram_id => 1001, p_idempotency_key => 'trial-1');
select * from subscription.start_trial(p_telegram_id => 1001, p_idempotency_key => 'trial-1');
select * from subscription.start_trial(p_telegram_id => 1001, p_idempotency_key => 'trial-2');

-- A week for a complaint: from the end of what she has. Months are refused.
select * from subscription.grant_time(
  p_admin_id => 1, p_telegram_id => 1001, p_tariff => 'basic', p_duration => '7 days',
  p_reason => 'ticket 17', p_idempotency_key => 'ticket-17');
select * from subscription.grant_time(
  p_admin_id => 1, p_telegram_id => 1001, p_tariff => 'basic', p_duration => '1 month',
  p_reason => 'ticket 18', p_idempotency_key => 'ticket-18');
select status, tariff, expires_at, auto_renew, activation from subscription.current(
  p_telegram_id => 1001);

-- Discounts: the largest wins.
select * from account.set_vip(p_admin_id => 1, p_telegram_id => 1001, p_is_vip => true);
select * from account.set_discount(
  p_admin_id => 1, p_telegram_id => 1001, p_percent => 50, p_expires_at => '2027-04-01 00:00+00');

-- The key leaked: a new one; the node gets it before it loses the old one.
select is_replay from vpn.reissue(
  p_telegram_id => 1001, p_admin_id => 1, p_idempotency_key => 'ticket-19');
-- The oldest job would have added the leaked one: nobody's now, so it is removed.
select j.action, j.attempt from vpn.claim_jobs(
  p_holder => 'by hand', p_limit => 1, p_lease => '1 minute') j;

-- The worker's batches by hand: nothing is due yet.
select * from subscription.set_auto_renew(p_telegram_id => 1001, p_is_on => true);
select * from subscription.renew_due(p_epoch => null, p_limit => 1000);
select * from notify.enqueue_due(p_epoch => null, p_limit => 1000);
select * from subscription.expire_due(p_epoch => null, p_limit => 1000);

-- It was fraud: her access ends now, and she buys nothing more.
select * from subscription.revoke(
  p_admin_id => 1, p_telegram_id => 1001, p_reason => 'fraud', p_idempotency_key => 'ticket-20');
select * from account.block(p_admin_id => 1, p_telegram_id => 1001, p_reason => 'ticket 20');
select * from subscription.set_auto_renew(p_telegram_id => 1001, p_is_on => false);
select status, tariff, expires_at, auto_renew, activation from subscription.current(
  p_telegram_id => 1001);
select * from vpn.reissue(
  p_telegram_id => 1001, p_admin_id => null, p_idempotency_key => 'ticket-21');

-- What is left behind.
select template, arguments from notify.claim(
  p_holder => 'by hand', p_limit => 10, p_lease => '1 minute');
select actor_id, action, subject_id, details from audit.event
where subject_id = '1001' order by occurred_at, action;
select * from ops.reconcile();
