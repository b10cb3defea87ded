-- The same purchase as ten statements, as bots do it that keep their rules in the program: read and lock, decide, write.
\set number :base + :n * :clients + :client_id
\set n :n + 1
\set user :first_user + :number % :users
begin;
select a.is_blocked, coalesce(a.referrer_id, 0) as referrer, w.available_kopecks as available, w.held_kopecks as held, w.debt_kopecks as debt, w.version from account.account a join wallet.wallet w on w.telegram_id = a.telegram_id where a.telegram_id = :user for update \gset
select u.purchase_id, u.kind = 'subscription' and u.status = 'open' and u.expires_at > clock_timestamp() and (select f.is_on from ops.feature f where f.name = 'payments') as is_payable, u.tariff, u.months, u.price_kopecks as price, clock_timestamp() as now from billing.purchase u where u.telegram_id = :user and u.purchase_id = lpad(:number, 32, '0')::uuid for update \gset
select s.tariff as before_tariff, s.expires_at as before_expires_at, s.period as before_period, case when s.expires_at > :now::timestamptz then s.vpn_uuid else gen_random_uuid() end as vpn_uuid, greatest(s.expires_at, :now::timestamptz) as starts_at, (greatest(s.expires_at, :now::timestamptz) at time zone 'UTC' + make_interval(months => :months)) at time zone 'UTC' as ends_at, nextval('outbox.task_id') as task_id from subscription.subscription s where s.telegram_id = :user for update \gset
\if :is_blocked
select 1 / 0 as the_user_is_blocked;
\elif not :is_payable
select 1 / 0 as the_purchase_is_not_open;
\elif :available < :price
select 1 / 0 as too_little_money;
\endif
\set available :available - :price
\set version :version + 1
update wallet.wallet set available_kopecks = :available, version = :version where telegram_id = :user;
insert into ledger.transfer (telegram_id, version, debit_account, credit_account, reason, amount_kopecks, available_kopecks, held_kopecks, debt_kopecks, created_at, purchase_id) values (:user, :version, 'available', 'revenue', 'purchase', :price, :available, :held, :debt, :now, :purchase_id);
insert into subscription.subscription as s (telegram_id, tariff, started_at, expires_at, activation, vpn_uuid, expiry_check_at, reminder_check_at) values (:user, :tariff, :now, :ends_at, 'pending', :vpn_uuid, :ends_at, :now) on conflict (telegram_id) do update set tariff = excluded.tariff, period = 'paid', started_at = case when s.vpn_uuid = excluded.vpn_uuid and s.period = 'paid' then s.started_at else excluded.started_at end, expires_at = excluded.expires_at, activation = case when s.vpn_uuid = excluded.vpn_uuid and s.activation = 'active' then s.activation else 'pending' end, key_uri = case when s.vpn_uuid = excluded.vpn_uuid then s.key_uri end, vpn_uuid = excluded.vpn_uuid, expiry_check_at = least(s.expiry_check_at, excluded.expires_at), reminder_check_at = coalesce(s.reminder_check_at, excluded.reminder_check_at);
\if :referrer
insert into outbox.task (telegram_id, task_id, kind, name, due_at, created_at, purchase_id, vpn_uuid, amount_kopecks, other_id) values (:user, :task_id, 'provision', 'add', :now, :now, :purchase_id, :vpn_uuid, null, null), (:user, nextval('outbox.task_id'), 'message', 'payment_applied', :now, :now, :purchase_id, null, null, null), (:referrer, nextval('outbox.task_id'), 'cashback', 'reward', :now, :now, :purchase_id, null, :price, :user);
\else
insert into outbox.task (telegram_id, task_id, kind, name, due_at, created_at, purchase_id, vpn_uuid) values (:user, :task_id, 'provision', 'add', :now, :now, :purchase_id, :vpn_uuid), (:user, nextval('outbox.task_id'), 'message', 'payment_applied', :now, :now, :purchase_id, null);
\endif
update billing.purchase set status = 'paid', closed_at = :now, paid_with = 'balance', before_tariff = :before_tariff, before_expires_at = :before_expires_at, before_period = :before_period, period_starts_at = :starts_at, after_expires_at = :ends_at, available_after_kopecks = :available, provision_task_id = :task_id where telegram_id = :user and purchase_id = :purchase_id;
commit;
