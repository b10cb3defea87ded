select account.register({admin}, 'boss', 'en', null);

select account.grant_admin({admin}, 'runs the measurements');

create temporary table crowd as
select g.id, (g.id - {first}) % 2 = 1 as is_referred, core.now() + {ends} as expires_at,
       core.now() + {ends} - interval '1 month' as starts_at, md5('bought by ' || g.id)::uuid as purchase_id,
       md5('vpn of ' || g.id)::uuid as vpn_uuid, nextval('outbox.task_id') as task_id
from generate_series({first}::bigint, {last}) g (id);

insert into account.account (telegram_id, username, language, is_language_chosen, referral_code, referrer_id, registered_at)
select c.id, 'user_' || c.id, 'ru', true, substr(md5('code of ' || c.id), 1, 16), case when c.is_referred then c.id - 1 end,
       core.now() - interval '100 days'
from crowd c;

insert into wallet.wallet (telegram_id, available_kopecks, version) select c.id, 1000000000000 - 14900, 2 from crowd c;

insert into ledger.transfer (
  telegram_id, version, debit_account, credit_account, reason, amount_kopecks, available_kopecks, held_kopecks,
  debt_kopecks, created_at, note)
select c.id, 1, 'adjustment', 'available', 'admin_credit', 1000000000000, 1000000000000, 0, 0, c.starts_at, 'crowd'
from crowd c;

insert into ledger.transfer (
  telegram_id, version, debit_account, credit_account, reason, amount_kopecks, available_kopecks, held_kopecks,
  debt_kopecks, created_at, purchase_id)
select c.id, 2, 'available', 'revenue', 'purchase', 14900, 1000000000000 - 14900, 0, 0, c.starts_at, c.purchase_id
from crowd c;

insert into outbox.task (
  telegram_id, task_id, kind, name, due_at, created_at, attempt, purchase_id, vpn_uuid, finished_at, outcome)
select c.id, c.task_id, 'provision', 'add', c.starts_at, c.starts_at, 1, c.purchase_id, c.vpn_uuid, c.starts_at, 'done'
from crowd c;

insert into billing.purchase (
  telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind, discount_percent, price_kopecks,
  idempotency_key, opened_at, expires_at, closed_at, paid_with, period_starts_at, after_expires_at, quoted_expires_at,
  available_after_kopecks, provision_task_id)
select c.id, c.purchase_id, 'subscription', 'paid', 'basic', 1, 14900, 'none', 0, 14900, 'bought', c.starts_at,
       c.starts_at + interval '30 minutes', c.starts_at, 'balance', c.starts_at, c.expires_at, c.expires_at,
       1000000000000 - 14900, c.task_id
from crowd c;

insert into subscription.subscription (
  telegram_id, tariff, period, started_at, expires_at, auto_renew, activation, vpn_uuid, key_uri, expiry_check_at,
  renew_check_at, reminder_check_at)
select c.id, 'basic', 'paid', c.starts_at, c.expires_at, {renews}, 'active', c.vpn_uuid, 'vless://' || c.vpn_uuid,
       c.expires_at, case when {renews} then c.expires_at - interval '6 hours' end, c.expires_at - interval '3 hours'
from crowd c;

insert into outbox.task (telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks, other_id)
select c.id - 1, 'cashback', 'reward', c.starts_at, c.starts_at, c.purchase_id, 14900, c.id from crowd c where c.is_referred;

drop table crowd
