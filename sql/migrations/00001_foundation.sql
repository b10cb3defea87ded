-- +goose Up

-- Execute is granted function by function; without `in schema`, or PUBLIC keeps it.
alter default privileges revoke execute on functions from public;

create schema core;
create schema account;
create schema wallet;
create schema ledger;
create schema promo;
create schema billing;
create schema subscription;
create schema referral;
create schema withdrawal;
create schema outbox;
create schema vpn;
create schema notify;
create schema broadcast;
create schema inbox;
create schema audit;
create schema ops;

comment on schema core is 'Time, domains and the list of refusals.';
comment on schema account is 'Users and admins.';
comment on schema wallet is 'A user''s money now: available, held, debt.';
comment on schema ledger is 'Every movement of money, append-only.';
comment on schema promo is 'Promo codes and their uses.';
comment on schema billing is 'Tariffs, purchases, payments, invoices.';
comment on schema subscription is 'What a user has bought, and until when.';
comment on schema referral is 'Who invited whom, and the cashback for it.';
comment on schema withdrawal is 'Money that users take out.';
comment on schema outbox is 'Work promised by a committed transaction: provisioning and messages.';
comment on schema vpn is 'The provisioning queue as the worker sees it.';
comment on schema notify is 'The message queue as the worker sees it.';
comment on schema broadcast is 'Messages to many: what is said, to whom, and how far it is.';
comment on schema inbox is 'Telegram updates, stored before they are confirmed.';
comment on schema audit is 'Who did what.';
comment on schema ops is 'Settings, switches, leases, jobs, reconciliation.';

grant usage on schema core, account, wallet, ledger, promo, billing, subscription, referral,
  withdrawal, outbox, vpn, notify, broadcast, inbox, audit, ops
to atlas_bot, atlas_payments, atlas_admin, atlas_worker, atlas_auditor, atlas_dba;

-- Domains rather than CHECKs on the tables of the purchase path: a domain's check is prepared once
-- per session, a table's for every statement.
create domain core.telegram_id as bigint
  constraint telegram_id_in_range check (value between 1 and 4503599627370495);
create domain core.amount_kopecks as bigint
  constraint amount_in_range check (value between 1 and 1000000000000);
create domain core.price_kopecks as bigint
  constraint price_in_range check (value between 0 and 1000000000000);
create domain core.balance_kopecks as bigint
  constraint balance_not_negative check (value >= 0);
create domain core.percent as smallint
  constraint percent_in_range check (value between 0 and 100);
create domain core.idempotency_key as text
  constraint idempotency_key_length check (length(value) between 1 and 128);

comment on domain core.telegram_id is 'A Telegram user: positive, at most 52 bits.';
comment on domain core.amount_kopecks is 'An amount that moves: 1 to 10^12 kopecks.';
comment on domain core.price_kopecks is 'A price: 0 to 10^12 kopecks.';
comment on domain core.balance_kopecks is 'A balance: never below zero.';
comment on domain core.percent is '0 to 100.';
comment on domain core.idempotency_key is 'Chosen by the caller, 1 to 128 characters.';

create type ledger.account as enum
  ('available', 'held', 'debt', 'revenue', 'provider', 'adjustment', 'cashback', 'payout');
comment on type ledger.account is
  'available, held and debt are the user''s; the others are the shop''s and have no row of their own.';
create type ledger.reason as enum
  ('admin_credit', 'admin_debit', 'purchase', 'provider_purchase', 'topup', 'provider_excess',
   'suspense', 'refund', 'reversal', 'cashback', 'clawback', 'withdrawal_hold',
   'withdrawal_return', 'withdrawal_payout');
comment on type ledger.reason is 'Why money moved.';
create type billing.purchase_kind as enum ('subscription', 'topup');
comment on type billing.purchase_kind is 'What is bought: VPN access, or money on the balance.';
create type billing.purchase_status as enum ('open', 'paid', 'refunded', 'expired', 'cancelled');
comment on type billing.purchase_status is 'open -> paid -> refunded, or open -> expired | cancelled.';
create type billing.discount_kind as enum ('none', 'promo', 'vip', 'personal');
comment on type billing.discount_kind is 'Which discount won.';
create type billing.payment_outcome as enum ('applied', 'credited', 'suspense', 'reversed');
comment on type billing.payment_outcome is 'What became of received money.';
create type subscription.activation as enum ('none', 'pending', 'active', 'failed');
comment on type subscription.activation is 'Whether the key is on the node.';
create type subscription.period as enum ('paid', 'trial', 'grant');
comment on type subscription.period is
  'How the time in force began. A purchase replaces a trial; a grant on top of bought time leaves it paid.';
create type subscription.change_kind as enum
  ('trial', 'grant', 'revoke', 'refund', 'reversal', 'reissue');
comment on type subscription.change_kind is 'What changed a subscription, beside purchases.';
create type billing.refund_kind as enum ('refund', 'reversal');
comment on type billing.refund_kind is
  'Who took a purchase back: an admin (to the balance), or the provider.';
create type referral.reward_status as enum ('paid', 'clawed_back', 'void');
comment on type referral.reward_status is
  'void: the purchase was taken back before its reward was paid.';
create type withdrawal.status as enum ('pending', 'approved', 'rejected', 'cancelled');
comment on type withdrawal.status is 'pending -> approved | rejected | cancelled.';
create type outbox.kind as enum ('provision', 'message', 'cashback');
comment on type outbox.kind is
  'Who works the task off: vpn.claim_jobs, notify.claim or referral.pay_due.';

create table core.refusal (
  sqlstate text constraint refusal_pkey primary key
    constraint refusal_sqlstate_is_five check (sqlstate ~ '^[A-Z0-9]{5}$'),
  message text not null,
  hint text not null
);
comment on table core.refusal is 'Every refusal''s constant message and advice; values go to DETAIL.';
comment on column core.refusal.sqlstate is 'What callers compare.';
comment on column core.refusal.message is 'The constant message.';
comment on column core.refusal.hint is 'What to do next.';

insert into core.refusal (sqlstate, message, hint) values
  ('22023', 'bad argument', 'Correct the argument named in DETAIL and call again.'),
  ('US001', 'no such user', 'The user has to send /start to the bot first (account.register).'),
  ('US002', 'user is blocked', 'An admin can lift it with account.unblock.'),
  ('US003', 'not an admin', 'The owner of the database or a DBA makes admins with account.grant_admin.'),
  ('US004', 'no such draft', 'Draft it again with account.draft_action.'),
  ('ID001', 'key reused with other arguments',
   'A new operation needs a new p_idempotency_key; a repeat needs the same arguments.'),
  ('OP001', 'isolation level is not READ COMMITTED',
   'Begin the transaction with: begin isolation level read committed;'),
  ('OP002', 'stale leader epoch', 'Take the lease again with ops.acquire_lease and use its epoch.'),
  ('OP003', 'feature is switched off', 'An admin can switch it on with ops.set_feature.'),
  ('WA001', 'insufficient funds',
   'Top up the balance, or choose a smaller amount; wallet.balance() shows it, and any debt.'),
  ('PR001', 'no such promo code', 'Check the spelling, or go on without a code.'),
  ('PR002', 'promo code expired', 'Go on without it, or issue a new code with promo.issue.'),
  ('PR003', 'promo code used up',
   'An admin can allow more uses with promo.set_limit, and never fewer than are taken.'),
  ('PR004', 'promo code disabled', 'Go on without it; a disabled code stays disabled.'),
  ('PR005', 'this user''s limit reached', 'Go on without it, or use another code.'),
  ('PR006', 'malformed promo code', 'A code is 3 to 32 letters A-Z and digits.'),
  ('PR007', 'promo code exists', 'Choose another code, or null for a generated one.'),
  ('PU001', 'no such purchase for this user',
   'Check the id (wallet.statement names those that money moved for), or open a new one with billing.open_purchase.'),
  ('PU002', 'purchase expired', 'Open a new one with billing.open_purchase.'),
  ('PU003', 'purchase is not open',
   'DETAIL says what became of it; billing.show_purchase shows it. A refund needs one that is paid.'),
  ('PU004', 'no such tariff or period', 'billing.list_prices() lists what is sold.'),
  ('PU005', 'below the provider''s minimum', 'billing.ways_to_pay() lists what is offered.'),
  ('PU006', 'top-up amount out of range', 'billing.topup_options() gives the limits.'),
  ('PY001', 'unknown provider', 'Providers are telegram, stars and cryptobot.'),
  ('PY002', 'payment is not in suspense', 'DETAIL says what became of it, and by whom.'),
  ('SU001', 'no subscription',
   'Buy one with billing.open_purchase; an admin can give one with subscription.grant_time.'),
  ('SU002', 'trial already used', 'A trial is once per user: buy with billing.open_purchase.'),
  ('SU003', 'has a paid subscription', 'A trial can begin when nothing else is in force.'),
  ('WD001', 'no such withdrawal', 'withdrawal.list_pending() lists those that wait; withdrawal.draft makes a draft.'),
  ('WD002', 'withdrawal is not pending', 'DETAIL says how it ended, when, and by whom.'),
  ('WD003', 'below the minimum', 'The setting withdrawal_minimum_kopecks has the minimum.'),
  ('WD004', 'too many requests, or one is pending',
   'Cancel the pending one with withdrawal.cancel, or wait until a day has passed.'),
  ('WD005', 'own withdrawal', 'Another admin has to approve it.'),
  ('CO001', 'no such corporate request', 'account.list_corporate() lists those that wait.'),
  ('CO002', 'a corporate request is open already',
   'An admin closes it with account.close_corporate, or the user takes it back.'),
  ('CO003', 'corporate request is closed', 'DETAIL says by whom and when.'),
  ('BR001', 'no such broadcast', 'View broadcast.progress lists them; broadcast.prepare makes one.'),
  ('BR002', 'broadcast cannot change like that', 'DETAIL says how it stands; one that has ended stays ended.'),
  ('40001', 'try again with the same key', 'Something else changed it first: call again.'),
  ('VP001', 'provisioning lease lost',
   'Another worker has the job now, or it has ended: drop it and call vpn.claim_jobs.'),
  ('VP002', 'no such provisioning job', 'vpn.list_undelivered lists those that wait for a key.'),
  ('VP003', 'everybody is being given a new key already',
   'DETAIL says since when and by whom; vpn.show_reissue how far it is, vpn.cancel_reissue stops it.'),
  ('VP004', 'no such request for new keys', 'vpn.show_reissue has the open one, or the last.');

create table account.account (
  telegram_id core.telegram_id not null constraint account_pkey primary key,
  username text constraint account_username_length check (length(username) <= 64),
  language text not null constraint account_language_known check (language in ('ru', 'en')),
  is_language_chosen boolean not null default false,
  is_blocked boolean not null default false,
  blocked_at timestamptz,
  blocked_reason text,
  is_reachable boolean not null default true,
  is_vip boolean not null default false,
  discount_percent core.percent,
  discount_expires_at timestamptz,
  referral_code text not null,
  referrer_id core.telegram_id,
  start_payload text,
  registered_at timestamptz not null,
  constraint account_not_own_referrer check (referrer_id <> telegram_id)
) with (fillfactor = 80);
-- For admins who look for somebody by the beginning of the name; the operators compare bytes.
create index account_username on account.account (lower(username) text_pattern_ops)
  where username is not null;
-- For the figures of a day; its pages come in the order of time, so that it costs a registration nothing.
create index account_registered on account.account using brin (registered_at)
  with (autosummarize = on);
create index account_referral_code on account.account (referral_code);
create index account_referrer on account.account (referrer_id, telegram_id) where referrer_id is not null;
comment on table account.account is 'One row per user, made by /start. Its row lock is the user''s lock.';
comment on column account.account.telegram_id is 'Telegram''s id of the user.';
comment on column account.account.username is 'Telegram''s @name at the last /start, without the @.';
comment on column account.account.language is 'ru or en.';
comment on column account.account.is_language_chosen is 'False until the user chose; then it is not asked again.';
comment on column account.account.is_blocked is 'Blocked users buy nothing; their received money goes to the balance.';
comment on column account.account.blocked_at is 'When the block in force began; null without one.';
comment on column account.account.blocked_reason is 'The admin''s words about the block in force.';
comment on column account.account.is_reachable is 'False after Telegram said that the bot was blocked.';
comment on column account.account.is_vip is 'Gets the VIP discount.';
comment on column account.account.discount_percent is 'Personal discount, 1 to 99; null for none.';
comment on column account.account.discount_expires_at is 'When the personal discount ends; null for never.';
comment on column account.account.referral_code is '64 random bits in hex; in the link ?start=ref_<code>.';
comment on column account.account.referrer_id is 'Who invited this user; set once, at registration.';
comment on column account.account.start_payload is 'What came with the first /start.';
comment on column account.account.registered_at is 'When the first /start came.';

create table account.admin (
  telegram_id core.telegram_id not null constraint admin_pkey primary key
    constraint admin_is_user references account.account (telegram_id),
  is_active boolean not null,
  note text not null,
  changed_at timestamptz not null
);
comment on table account.admin is 'Who is or was an admin. Apart from the user''s row, so that two admins can credit each other.';
comment on column account.admin.telegram_id is 'The admin.';
comment on column account.admin.is_active is 'False after revoke_admin.';
comment on column account.admin.note is 'Why, as given at the last change.';
comment on column account.admin.changed_at is 'When it last changed.';

create table account.draft (
  admin_id core.telegram_id not null,
  draft_id uuid not null,
  action text not null constraint draft_action_form check (action ~ '^[a-z_]{1,64}$'),
  arguments jsonb not null
    constraint draft_arguments_are_an_object check (jsonb_typeof(arguments) = 'object'),
  idempotency_key core.idempotency_key not null,
  drafted_at timestamptz not null,
  expires_at timestamptz not null,
  done_at timestamptz,
  constraint draft_pkey primary key (admin_id, draft_id),
  constraint draft_key_once unique (admin_id, idempotency_key)
);
create index draft_expires on account.draft (expires_at);
comment on table account.draft is
  'What an admin is about to do, while the confirm screen is up. The button carries the id only.';
comment on column account.draft.admin_id is 'Who is about to do it.';
comment on column account.draft.draft_id is 'Names it; the key of the action itself follows from it.';
comment on column account.draft.action is 'What is to be done, in the screens'' words.';
comment on column account.draft.arguments is 'To whom and how much, as the screens need it.';
comment on column account.draft.idempotency_key is 'The admin''s key of the call.';
comment on column account.draft.drafted_at is 'When it was drafted.';
comment on column account.draft.expires_at is 'Until then it can be confirmed.';
comment on column account.draft.done_at is
  'When it was done, for actions without a key of their own; null before, and for the others.';

create sequence account.corporate_request_id as bigint;
comment on sequence account.corporate_request_id is 'Numbers corporate requests; gaps mean nothing.';
create table account.corporate_request (
  telegram_id core.telegram_id not null,
  request_id bigint not null default nextval('account.corporate_request_id'),
  company text not null
    constraint corporate_request_company_length check (length(company) between 2 and 200),
  contact text not null
    constraint corporate_request_contact_length check (length(contact) between 2 and 200),
  idempotency_key core.idempotency_key not null,
  requested_at timestamptz not null,
  closed_at timestamptz,
  closed_by core.telegram_id,
  constraint corporate_request_pkey primary key (telegram_id, request_id),
  constraint corporate_request_key_once unique (telegram_id, idempotency_key),
  constraint corporate_request_closing_is_whole check ((closed_at is null) = (closed_by is null))
);
create unique index corporate_request_one_open on account.corporate_request (telegram_id)
  where closed_at is null;
create index corporate_request_waiting on account.corporate_request (requested_at)
  where closed_at is null;
create index corporate_request_closed on account.corporate_request (closed_at)
  where closed_at is not null;
comment on table account.corporate_request is
  'Who asks for corporate access. A closed one is kept for the retention only; the audit has that it was.';
comment on column account.corporate_request.telegram_id is 'Who asks.';
comment on column account.corporate_request.request_id is 'The request''s number.';
comment on column account.corporate_request.company is 'For whom, in the user''s words.';
comment on column account.corporate_request.contact is 'How to reach them, in the user''s words.';
comment on column account.corporate_request.idempotency_key is 'The user''s key.';
comment on column account.corporate_request.requested_at is 'When.';
comment on column account.corporate_request.closed_at is 'When an admin had dealt with it, or the user took it back.';
comment on column account.corporate_request.closed_by is 'The admin, or the user.';

create table wallet.wallet (
  telegram_id core.telegram_id not null constraint wallet_pkey primary key,
  available_kopecks core.balance_kopecks not null default 0,
  held_kopecks core.balance_kopecks not null default 0,
  debt_kopecks core.balance_kopecks not null default 0,
  version bigint not null default 0
) with (fillfactor = 60);
comment on table wallet.wallet is 'Balances now; always equal to the last row of the user''s ledger.';
comment on column wallet.wallet.telegram_id is 'The user.';
comment on column wallet.wallet.available_kopecks is 'What can be spent.';
comment on column wallet.wallet.held_kopecks is 'What pending withdrawals hold.';
comment on column wallet.wallet.debt_kopecks is 'What a claw-back could not take.';
comment on column wallet.wallet.version is 'The last ledger row''s version; 0 before the first.';

create sequence ledger.transfer_id as bigint cache 64;
create table ledger.transfer (
  telegram_id core.telegram_id not null,
  version bigint not null,
  transfer_id bigint not null default nextval('ledger.transfer_id'),
  debit_account ledger.account not null,
  credit_account ledger.account not null,
  reason ledger.reason not null,
  amount_kopecks core.amount_kopecks not null,
  available_kopecks core.balance_kopecks not null,
  held_kopecks core.balance_kopecks not null,
  debt_kopecks core.balance_kopecks not null,
  created_at timestamptz not null,
  recorded_xid bigint not null default pg_current_xact_id()::text::bigint,
  purchase_id uuid,
  payment_id bigint,
  withdrawal_id bigint,
  actor_id bigint,
  note text,
  idempotency_key core.idempotency_key,
  correlation_id text default left(nullif(current_setting('atlas.correlation_id', true), ''), 128),
  constraint transfer_pkey primary key (telegram_id, version)
);
create unique index transfer_key_once on ledger.transfer (telegram_id, reason, idempotency_key)
  where idempotency_key is not null;
-- What admins did, for audit.list: buyers' rows are not in it.
create index transfer_by_admin on ledger.transfer (created_at) where actor_id is not null;
create index transfer_created on ledger.transfer using brin (created_at)
  with (autosummarize = on);
create index transfer_recorded on ledger.transfer using brin (recorded_xid)
  with (pages_per_range = 16, autosummarize = on);
comment on sequence ledger.transfer_id is 'Numbers transfers; gaps mean nothing.';
comment on table ledger.transfer is
  'One row is one movement from the debit account to the credit account, with the user''s balances after it. Append-only.';
comment on column ledger.transfer.telegram_id is 'Whose money moved.';
comment on column ledger.transfer.version is 'The user''s own row number: 1, 2, 3 … without a gap.';
comment on column ledger.transfer.transfer_id is 'The row''s number in the whole ledger.';
comment on column ledger.transfer.debit_account is 'Where the money came from.';
comment on column ledger.transfer.credit_account is 'Where it went.';
comment on column ledger.transfer.reason is 'Why.';
comment on column ledger.transfer.amount_kopecks is 'How much, always positive.';
comment on column ledger.transfer.available_kopecks is 'Available after this row.';
comment on column ledger.transfer.held_kopecks is 'Held after this row.';
comment on column ledger.transfer.debt_kopecks is 'Debt after this row.';
comment on column ledger.transfer.created_at is 'When, by the clock after the lock.';
comment on column ledger.transfer.recorded_xid is 'The writing transaction: rows below a snapshot''s xmin are settled.';
comment on column ledger.transfer.purchase_id is 'The purchase it paid, if any.';
comment on column ledger.transfer.payment_id is 'The provider payment it came from, if any.';
comment on column ledger.transfer.withdrawal_id is 'The withdrawal it belongs to, if any.';
comment on column ledger.transfer.actor_id is 'The admin who did it; null for the user and the system.';
comment on column ledger.transfer.note is 'The admin''s words.';
comment on column ledger.transfer.idempotency_key is 'The caller''s key; the row itself is the first answer.';
comment on column ledger.transfer.correlation_id is 'Ties it to the update or event it came from.';

create table billing.tariff (
  tariff text constraint tariff_pkey primary key
    constraint tariff_name_is_simple check (tariff ~ '^[a-z][a-z0-9_]{0,31}$'),
  rank smallint not null constraint tariff_rank_unique unique,
  device_limit smallint not null constraint tariff_device_limit_positive check (device_limit > 0),
  is_on_sale boolean not null default true
);
comment on table billing.tariff is 'What is sold. Edit it here; open purchases keep their price.';
comment on column billing.tariff.tariff is 'Its name in the API.';
comment on column billing.tariff.rank is 'A move to a higher rank converts the remaining time.';
comment on column billing.tariff.device_limit is 'Distinct addresses at once.';
comment on column billing.tariff.is_on_sale is 'False: nobody can open a purchase of it.';

create table billing.tariff_price (
  tariff text constraint tariff_price_of_tariff references billing.tariff (tariff),
  months smallint constraint tariff_price_months_in_range check (months between 1 and 36),
  list_kopecks core.amount_kopecks not null,
  offer_id uuid not null default gen_random_uuid() constraint tariff_price_offer_once unique,
  constraint tariff_price_pkey primary key (tariff, months)
);
comment on table billing.tariff_price is 'List prices. Every tariff needs a one-month price: remaining time converts by it.';
comment on column billing.tariff_price.tariff is 'The tariff.';
comment on column billing.tariff_price.months is 'Calendar months.';
comment on column billing.tariff_price.list_kopecks is 'Price before any discount.';

comment on column billing.tariff_price.offer_id is 'The opaque id that buttons carry instead of tariff and period.';

insert into billing.tariff (tariff, rank, device_limit) values ('basic', 1, 3), ('plus', 2, 10);
insert into billing.tariff_price (tariff, months, list_kopecks) values
  ('basic', 1, 14900), ('basic', 3, 39900), ('basic', 6, 74900), ('basic', 12, 139900),
  ('plus', 1, 29900), ('plus', 3, 69900), ('plus', 6, 119900), ('plus', 12, 229900);

create table billing.provider (
  provider text constraint provider_pkey primary key,
  currency text not null constraint provider_currency_known check (currency in ('RUB', 'XTR')),
  minimum_kopecks core.price_kopecks not null,
  is_offered boolean not null,
  is_settled_by_event boolean not null
);
comment on table billing.provider is 'Who may bring money.';
comment on column billing.provider.provider is 'telegram (cards), stars, cryptobot, manual.';
comment on column billing.provider.currency is 'The only currency accepted from it; anything else goes to suspense.';
comment on column billing.provider.minimum_kopecks is 'Prices below it are not offered there.';
comment on column billing.provider.is_offered is 'Switches the way to pay on and off; money that comes all the same is kept.';
comment on column billing.provider.is_settled_by_event is 'False: only an admin''s approval brings money (manual).';
insert into billing.provider (provider, currency, minimum_kopecks, is_offered, is_settled_by_event)
values ('telegram', 'RUB', 6400, true, true), ('stars', 'XTR', 1, true, true),
       ('cryptobot', 'RUB', 1, true, true), ('manual', 'RUB', 1, false, false);

create table promo.batch (
  batch_id bigint generated always as identity constraint batch_pkey primary key,
  code_count int not null constraint batch_code_count_in_range check (code_count between 1 and 100),
  discount_percent core.percent not null,
  max_uses int,
  per_user_limit int not null,
  expires_at timestamptz,
  issued_at timestamptz not null,
  issued_by core.telegram_id not null,
  asked jsonb not null,
  idempotency_key core.idempotency_key not null,
  constraint batch_key_once unique (issued_by, idempotency_key)
);
comment on table promo.batch is 'Generated promo codes that were made together, with one set of terms.';
comment on column promo.batch.batch_id is 'The batch''s number.';
comment on column promo.batch.code_count is 'How many codes.';
comment on column promo.batch.discount_percent is '1 to 100.';
comment on column promo.batch.max_uses is 'How often each can be used in all; null for no limit. As made: a code''s own row counts.';
comment on column promo.batch.per_user_limit is 'How often each by one user.';
comment on column promo.batch.expires_at is 'When they end; null for never.';
comment on column promo.batch.issued_at is 'When they were made.';
comment on column promo.batch.issued_by is 'The admin who made them.';
comment on column promo.batch.asked is 'The arguments of promo.issue_batch: a repeat is compared with them.';
comment on column promo.batch.idempotency_key is 'The admin''s key.';

create table promo.code (
  promo_id bigint generated always as identity constraint code_pkey primary key,
  code text not null constraint code_unique unique
    constraint code_is_canonical check (code ~ '^[A-Z0-9]{3,32}$'),
  discount_percent core.percent not null
    constraint code_discount_in_range check (discount_percent between 1 and 100),
  max_uses int constraint code_max_uses_in_range check (max_uses between 1 and 1000000),
  per_user_limit int not null
    constraint code_per_user_limit_in_range check (per_user_limit between 1 and 1000),
  expires_at timestamptz,
  is_active boolean not null default true,
  issued_at timestamptz not null,
  issued_by core.telegram_id not null,
  asked jsonb not null,
  idempotency_key core.idempotency_key,
  batch_id bigint constraint code_of_batch references promo.batch (batch_id),
  disabled_at timestamptz,
  disabled_by core.telegram_id,
  constraint code_key_once unique (issued_by, idempotency_key),
  constraint code_has_key_or_batch check ((idempotency_key is null) <> (batch_id is null))
);
create index code_single on promo.code (promo_id) where batch_id is null;
create index code_by_batch on promo.code (batch_id, promo_id) where batch_id is not null;
comment on table promo.code is 'Promo codes. Buyers read a code''s row and never lock it.';
comment on column promo.code.promo_id is 'The code''s number: uses are bound to it, not to the text.';
comment on column promo.code.code is 'As users type it, canonical: A-Z and 0-9.';
comment on column promo.code.discount_percent is '1 to 100.';
comment on column promo.code.max_uses is 'How often it can be used in all; null for no limit.';
comment on column promo.code.per_user_limit is 'How often by one user.';
comment on column promo.code.expires_at is 'From then on nobody can open a purchase with it; null for never.';
comment on column promo.code.is_active is 'False once it was disabled.';
comment on column promo.code.issued_at is 'When it was made.';
comment on column promo.code.issued_by is 'The admin who made it.';
comment on column promo.code.asked is 'The arguments of promo.issue: a repeat is compared with them.';
comment on column promo.code.idempotency_key is 'The admin''s key; null for a code of a batch.';
comment on column promo.code.batch_id is 'The batch that it was made with; null for one made alone.';
comment on column promo.code.disabled_at is 'When it was disabled.';
comment on column promo.code.disabled_by is 'The admin who disabled it.';

create sequence promo.use_no as bigint cache 32;
create table promo.use (
  promo_id bigint not null,
  use_no bigint not null,
  telegram_id core.telegram_id not null,
  purchase_id uuid not null,
  reserved_at timestamptz not null,
  constraint use_pkey primary key (promo_id, use_no)
);
create index use_by_user on promo.use (telegram_id, promo_id);
comment on sequence promo.use_no is
  'Where a search for a free number begins: cached, so that buyers of a hot code do not meet.';
comment on table promo.use is
  'One row is one use: reserved while its purchase is open, consumed once it is paid. A code with a '
  'limit has the numbers 1 to max_uses and no others, so the primary key is the limit.';
comment on column promo.use.promo_id is 'The code.';
comment on column promo.use.use_no is 'The use''s number, each once.';
comment on column promo.use.telegram_id is 'Who uses it.';
comment on column promo.use.purchase_id is 'For which purchase.';
comment on column promo.use.reserved_at is 'When it was reserved.';

create table billing.purchase (
  telegram_id core.telegram_id not null,
  purchase_id uuid not null,
  kind billing.purchase_kind not null,
  status billing.purchase_status not null,
  tariff text,
  months smallint,
  list_kopecks core.amount_kopecks not null,
  discount_kind billing.discount_kind not null,
  discount_percent core.percent not null,
  price_kopecks core.price_kopecks not null,
  promo_code text,
  promo_id bigint,
  idempotency_key core.idempotency_key not null,
  opened_at timestamptz not null,
  expires_at timestamptz not null,
  expiry_check_at timestamptz,
  closed_at timestamptz,
  paid_with text,
  payment_id bigint,
  before_tariff text,
  before_expires_at timestamptz,
  before_period subscription.period,
  period_starts_at timestamptz,
  after_expires_at timestamptz,
  renews_expires_at timestamptz,
  quoted_expires_at timestamptz,
  available_after_kopecks core.balance_kopecks,
  provision_task_id bigint,
  correlation_id text default left(nullif(current_setting('atlas.correlation_id', true), ''), 128),
  constraint purchase_pkey primary key (telegram_id, purchase_id)
) with (fillfactor = 70);
create index purchase_by_id on billing.purchase (purchase_id);
create unique index purchase_key_once on billing.purchase (telegram_id, kind, idempotency_key);
create unique index purchase_renews_period_once on billing.purchase (telegram_id, renews_expires_at)
  where renews_expires_at is not null;
create index purchase_expiry_check on billing.purchase (expiry_check_at)
  where expiry_check_at is not null;
comment on table billing.purchase is 'What a user is buying or has bought, at the price that was shown.';
comment on column billing.purchase.telegram_id is 'The buyer.';
comment on column billing.purchase.purchase_id is 'The opaque id that buttons and invoices carry.';
comment on column billing.purchase.kind is 'subscription or topup.';
comment on column billing.purchase.status is 'open -> paid -> refunded, or open -> expired | cancelled.';
comment on column billing.purchase.tariff is 'Subscription: the tariff.';
comment on column billing.purchase.months is 'Subscription: calendar months.';
comment on column billing.purchase.list_kopecks is 'Before the discount.';
comment on column billing.purchase.discount_kind is 'Which discount won.';
comment on column billing.purchase.discount_percent is 'And its size.';
comment on column billing.purchase.price_kopecks is 'What is to be paid; fixed when opened.';
comment on column billing.purchase.promo_code is 'The promo code it was opened with, canonical, whether or not it won.';
comment on column billing.purchase.promo_id is 'The promo code that won; its use is in promo.use.';
comment on column billing.purchase.idempotency_key is 'The opener''s key.';
comment on column billing.purchase.opened_at is 'When it was opened.';
comment on column billing.purchase.expires_at is 'Paid from balance only before this; a provider''s money is honoured later too.';
comment on column billing.purchase.expiry_check_at is
  'When billing.expire_due looks at it; null once it has. Only the worker moves it, so that paying stays a HOT update.';
comment on column billing.purchase.closed_at is 'When it was paid, cancelled or expired.';
comment on column billing.purchase.paid_with is 'balance, free, or the provider.';
comment on column billing.purchase.payment_id is 'The provider payment that paid it.';
comment on column billing.purchase.before_tariff is 'The subscription before it was paid: tariff.';
comment on column billing.purchase.before_expires_at is 'The subscription before it was paid: end.';
comment on column billing.purchase.before_period is 'The subscription before it was paid: period.';
comment on column billing.purchase.period_starts_at is 'Where the bought months begin; they end at after_expires_at.';
comment on column billing.purchase.after_expires_at is 'The subscription after it was paid: end.';
comment on column billing.purchase.renews_expires_at is
  'Auto-renewal: the end of the period it renews. At most one charge per period.';
comment on column billing.purchase.quoted_expires_at is 'The end that was shown when it was opened: part of the opener''s first answer.';
comment on column billing.purchase.available_after_kopecks is 'Available after it was paid: part of the first answer.';
comment on column billing.purchase.provision_task_id is 'The provisioning job that it wrote.';
comment on column billing.purchase.correlation_id is 'Ties it to the update that opened it.';

create table billing.invoice (
  telegram_id core.telegram_id not null,
  purchase_id uuid not null,
  provider text not null constraint invoice_of_provider references billing.provider (provider),
  invoice_id text not null constraint invoice_id_length check (length(invoice_id) between 1 and 256),
  amount_minor bigint not null constraint invoice_amount_positive check (amount_minor > 0),
  currency text not null,
  attached_at timestamptz not null,
  constraint invoice_pkey primary key (telegram_id, purchase_id, provider, invoice_id),
  constraint invoice_of_purchase foreign key (telegram_id, purchase_id)
    references billing.purchase (telegram_id, purchase_id)
);
create index invoice_attached on billing.invoice (provider, attached_at);
create index invoice_by_id on billing.invoice (provider, invoice_id);
comment on table billing.invoice is 'Invoices at providers for a purchase.';
comment on column billing.invoice.telegram_id is 'The buyer.';
comment on column billing.invoice.purchase_id is 'The purchase.';
comment on column billing.invoice.provider is 'Where the invoice is.';
comment on column billing.invoice.invoice_id is 'The provider''s id of it.';
comment on column billing.invoice.amount_minor is 'What it asks, in the currency''s minor unit (kopecks, whole Stars).';
comment on column billing.invoice.currency is 'RUB or XTR.';
comment on column billing.invoice.attached_at is 'When it was attached.';

create sequence billing.payment_id as bigint;
comment on sequence billing.payment_id is 'Numbers payments; gaps mean nothing.';
create table billing.charge (
  provider text not null constraint charge_of_provider references billing.provider (provider),
  charge_id text not null constraint charge_id_length check (length(charge_id) between 1 and 256),
  telegram_id bigint not null,
  payment_id bigint not null,
  constraint charge_pkey primary key (provider, charge_id)
);
comment on table billing.charge is 'Every provider charge id once: the one key that no user leads.';
comment on column billing.charge.provider is 'The provider.';
comment on column billing.charge.charge_id is 'The provider''s id of the money.';
comment on column billing.charge.telegram_id is 'Whose payment it became; 0 for nobody''s.';
comment on column billing.charge.payment_id is 'The payment.';

create table billing.payment (
  telegram_id bigint not null,
  payment_id bigint not null,
  provider text not null,
  charge_id text not null,
  purchase_id uuid,
  payer_id bigint,
  amount_minor bigint not null constraint payment_amount_positive check (amount_minor > 0),
  currency text not null,
  worth_kopecks bigint constraint payment_worth_not_negative check (worth_kopecks >= 0),
  credited_kopecks core.price_kopecks not null,
  outcome billing.payment_outcome not null,
  suspense_reason text,
  resolved_by bigint,
  resolved_at timestamptz,
  resolution_note text,
  reversed_at timestamptz,
  reversal_debt_kopecks bigint,
  reversal_raw jsonb,
  subscription_expires_at timestamptz,
  received_at timestamptz not null,
  raw jsonb,
  correlation_id text default left(nullif(current_setting('atlas.correlation_id', true), ''), 128),
  refund_begun_by bigint,
  refund_begun_at timestamptz,
  refund_reason text,
  constraint payment_pkey primary key (telegram_id, payment_id),
  constraint payment_suspense_has_reason
    check ((outcome = 'suspense') <= (suspense_reason is not null)),
  constraint payment_credits_no_more_than_received check (credited_kopecks <= worth_kopecks),
  constraint payment_reversed_says_when check ((outcome = 'reversed') = (reversed_at is not null)),
  constraint payment_resolution_is_whole check ((resolved_by is null) = (resolved_at is null)),
  constraint payment_refund_is_whole check (
    (refund_begun_by is null) = (refund_begun_at is null)
    and (refund_begun_by is null) = (refund_reason is null))
);
create index payment_by_id on billing.payment (payment_id);
create index payment_received on billing.payment (provider, received_at, payment_id);
create index payment_suspended on billing.payment (received_at, payment_id)
  where outcome = 'suspense';
comment on table billing.payment is 'Money that a provider brought, each with exactly one outcome.';
comment on column billing.payment.telegram_id is 'Whose it is; 0 while it is nobody''s.';
comment on column billing.payment.payment_id is 'The payment''s number.';
comment on column billing.payment.provider is 'Who brought it.';
comment on column billing.payment.charge_id is 'The provider''s id of it.';
comment on column billing.payment.purchase_id is 'What the provider says it is for.';
comment on column billing.payment.payer_id is 'Who the provider says has paid; null where it does not say.';
comment on column billing.payment.amount_minor is 'As received, in the currency''s minor unit.';
comment on column billing.payment.currency is 'As received.';
comment on column billing.payment.worth_kopecks is 'In kopecks; null in suspense.';
comment on column billing.payment.credited_kopecks is 'What of it went to the balance.';
comment on column billing.payment.outcome is 'applied, credited, suspense or reversed.';
comment on column billing.payment.suspense_reason is 'Why it is in suspense.';
comment on column billing.payment.resolved_by is 'The admin who took it out of suspense.';
comment on column billing.payment.resolved_at is 'When it was taken out of suspense.';
comment on column billing.payment.resolution_note is 'The admin''s words about it.';
comment on column billing.payment.reversed_at is 'When the provider took it back.';
comment on column billing.payment.reversal_debt_kopecks is
  'What of the reversal was no longer there and became debt: part of the first answer.';
comment on column billing.payment.reversal_raw is 'The provider''s own words about the reversal.';
comment on column billing.payment.subscription_expires_at is 'The end of the subscription that it bought: part of the first answer.';
comment on column billing.payment.received_at is 'When it was settled here.';
comment on column billing.payment.raw is 'The provider''s own words.';
comment on column billing.payment.correlation_id is 'Ties it to the event it came with.';
comment on column billing.payment.refund_begun_by is 'The admin who had the provider asked to give it back.';
comment on column billing.payment.refund_begun_at is 'When; it is over once the outcome is reversed.';
comment on column billing.payment.refund_reason is 'The admin''s words.';

create table billing.refund (
  telegram_id core.telegram_id not null,
  purchase_id uuid not null,
  kind billing.refund_kind not null,
  refunded_kopecks core.price_kopecks not null,
  subscription_expires_at timestamptz,
  change_id bigint,
  restored_from bigint,
  actor_id bigint,
  reason text,
  refunded_at timestamptz not null,
  constraint refund_restores_by_a_change check (restored_from < change_id),
  constraint refund_pkey primary key (telegram_id, purchase_id),
  constraint refund_of_purchase foreign key (telegram_id, purchase_id)
    references billing.purchase (telegram_id, purchase_id),
  constraint refund_by_admin_has_actor check ((kind = 'refund') = (actor_id is not null))
);
comment on table billing.refund is 'Purchases that were taken back, each once.';
comment on column billing.refund.telegram_id is 'The buyer.';
comment on column billing.refund.purchase_id is 'The purchase.';
comment on column billing.refund.kind is 'refund: by an admin, to the balance; reversal: by the provider.';
comment on column billing.refund.refunded_kopecks is 'What went back to the balance; 0 for a reversal.';
comment on column billing.refund.subscription_expires_at is 'The end of the subscription after it: part of the first answer.';
comment on column billing.refund.change_id is
  'The change of the subscription that it made; null if it was over already.';
comment on column billing.refund.restored_from is
  'The place in the subscription''s chain before which the state was restored: from there to change_id '
  'all is undone. Null if the purchase''s own period was taken off the end.';
comment on column billing.refund.actor_id is 'The admin.';
comment on column billing.refund.reason is 'The admin''s words.';
comment on column billing.refund.refunded_at is 'When.';

create table subscription.subscription (
  telegram_id core.telegram_id not null constraint subscription_pkey primary key,
  tariff text not null,
  period subscription.period not null default 'paid',
  started_at timestamptz not null,
  expires_at timestamptz not null,
  auto_renew boolean not null default false,
  activation subscription.activation not null,
  vpn_uuid uuid not null,
  key_uri text,
  expiry_check_at timestamptz,
  renew_check_at timestamptz,
  renew_declined_for timestamptz,
  reminder_check_at timestamptz
) with (fillfactor = 60);
create index subscription_expiry_check on subscription.subscription (expiry_check_at)
  where expiry_check_at is not null;
create index subscription_renew_check on subscription.subscription (renew_check_at)
  where renew_check_at is not null;
create index subscription_reminder_check on subscription.subscription (reminder_check_at)
  where reminder_check_at is not null;
comment on table subscription.subscription is 'A user''s one subscription.';
comment on column subscription.subscription.telegram_id is 'The user.';
comment on column subscription.subscription.tariff is 'The tariff in force.';
comment on column subscription.subscription.period is 'paid, trial or grant.';
comment on column subscription.subscription.started_at is 'When the trial or grant in force began, or the first purchase of an unbroken run.';
comment on column subscription.subscription.expires_at is 'The end.';
comment on column subscription.subscription.auto_renew is 'Whether it renews itself from the balance.';
comment on column subscription.subscription.activation is 'Whether the key is on the node.';
comment on column subscription.subscription.vpn_uuid is 'The VPN identity; a new one after expiry.';
comment on column subscription.subscription.key_uri is 'The key as the node gave it; null until then.';
comment on column subscription.subscription.expiry_check_at is
  'When expiry looks at it; never later than the end; null once it is over. Only the worker moves it '
  'forward, so that renewing stays a HOT update.';
comment on column subscription.subscription.renew_check_at is
  'When auto-renewal looks at it; null while there is nothing to do. Moved like expiry_check_at.';
comment on column subscription.subscription.renew_declined_for is
  'The end for which the balance was too small and the user was told; a deposit lets it be tried again.';
comment on column subscription.subscription.reminder_check_at is
  'Reminders before it are dealt with; null when none is left. Moved like expiry_check_at.';

create table subscription.change (
  telegram_id core.telegram_id not null,
  change_id bigint not null,
  kind subscription.change_kind not null,
  before_tariff text,
  before_expires_at timestamptz,
  before_period subscription.period,
  after_tariff text,
  after_expires_at timestamptz,
  after_period subscription.period,
  vpn_uuid uuid,
  duration interval,
  purchase_id uuid,
  actor_id bigint,
  reason text,
  is_told boolean not null default true,
  idempotency_key core.idempotency_key,
  changed_at timestamptz not null,
  correlation_id text default left(nullif(current_setting('atlas.correlation_id', true), ''), 128),
  constraint change_pkey primary key (telegram_id, change_id)
);
create unique index change_key_once on subscription.change (telegram_id, kind, idempotency_key)
  where idempotency_key is not null;
create unique index change_one_trial on subscription.change (telegram_id) where kind = 'trial';
comment on table subscription.change is
  'What changed a subscription beside purchases, which keep their own before and after: together one '
  'chain per user, in the order of change_id and provision_task_id.';
comment on column subscription.change.telegram_id is 'The user.';
comment on column subscription.change.change_id is 'Its place in the chain, from the sequence outbox.task_id.';
comment on column subscription.change.kind is 'trial, grant, revoke, refund, reversal or reissue.';
comment on column subscription.change.before_tariff is 'Before: tariff; null for no subscription.';
comment on column subscription.change.before_expires_at is 'Before: end.';
comment on column subscription.change.before_period is 'Before: period.';
comment on column subscription.change.after_tariff is 'After: tariff; null for no subscription.';
comment on column subscription.change.after_expires_at is 'After: end.';
comment on column subscription.change.after_period is 'After: period.';
comment on column subscription.change.vpn_uuid is 'The VPN identity after it.';
comment on column subscription.change.duration is 'grant: how long.';
comment on column subscription.change.purchase_id is 'refund, reversal: the purchase taken back.';
comment on column subscription.change.actor_id is 'The admin; null for the user and the system.';
comment on column subscription.change.reason is 'The admin''s words.';
comment on column subscription.change.is_told is 'False: an admin wanted the user not to be told.';
comment on column subscription.change.idempotency_key is 'The caller''s key; the row itself is the first answer.';
comment on column subscription.change.changed_at is 'When.';
comment on column subscription.change.correlation_id is 'Ties it to the update or event it came from.';

create table referral.level (
  level text constraint level_pkey primary key,
  from_paying int not null constraint level_from_paying_unique unique
    constraint level_from_paying_not_negative check (from_paying >= 0),
  percent core.percent not null
);
comment on table referral.level is 'Cashback by the number of paying referrals.';
comment on column referral.level.level is 'silver, gold, platinum.';
comment on column referral.level.from_paying is 'From how many paying referrals on.';
comment on column referral.level.percent is 'Cashback in percent of what was paid.';
insert into referral.level (level, from_paying, percent)
values ('silver', 0, 10), ('gold', 25, 25), ('platinum', 50, 45);

create table referral.paying (
  telegram_id core.telegram_id not null,
  referred_id core.telegram_id not null,
  since timestamptz not null,
  constraint paying_pkey primary key (telegram_id, referred_id)
);
comment on table referral.paying is 'Referred users with a paid purchase above 0, as processed so far; a refund does not uncount.';
comment on column referral.paying.telegram_id is 'The referrer.';
comment on column referral.paying.referred_id is 'Who was invited and has paid.';
comment on column referral.paying.since is 'When it was first processed.';

create table referral.referrer (
  telegram_id core.telegram_id not null constraint referrer_pkey primary key,
  paying_count int not null constraint referrer_paying_not_negative check (paying_count >= 0),
  earned_kopecks core.balance_kopecks not null
) with (fillfactor = 80);
create index referrer_by_paying on referral.referrer (paying_count, telegram_id);
comment on table referral.referrer is 'Totals per referrer, kept under the user''s lock.';
comment on column referral.referrer.telegram_id is 'The referrer.';
comment on column referral.referrer.paying_count is 'Rows in referral.paying.';
comment on column referral.referrer.earned_kopecks is 'Cashback paid, less what was clawed back.';

create table referral.reward (
  telegram_id core.telegram_id not null,
  purchase_id uuid not null,
  referred_id core.telegram_id not null,
  status referral.reward_status not null,
  paid_kopecks core.amount_kopecks not null,
  percent core.percent not null,
  reward_kopecks core.price_kopecks not null,
  rewarded_at timestamptz not null,
  clawed_back_at timestamptz,
  constraint reward_pkey primary key (telegram_id, purchase_id)
);
comment on table referral.reward is 'Cashback, at most one per purchase.';
comment on column referral.reward.telegram_id is 'The referrer.';
comment on column referral.reward.purchase_id is 'The purchase of the referred user.';
comment on column referral.reward.referred_id is 'Who bought.';
comment on column referral.reward.status is 'paid, clawed_back or void.';
comment on column referral.reward.paid_kopecks is 'What the purchase cost, after discount.';
comment on column referral.reward.percent is 'The level''s percent when it was processed; 0 when void.';
comment on column referral.reward.reward_kopecks is 'Rounded down; 0 when void.';
comment on column referral.reward.rewarded_at is 'When it was processed.';
comment on column referral.reward.clawed_back_at is 'When a refund took it back.';

create sequence withdrawal.withdrawal_id as bigint;
comment on sequence withdrawal.withdrawal_id is 'Numbers withdrawals; gaps mean nothing.';
create table withdrawal.withdrawal (
  telegram_id core.telegram_id not null,
  withdrawal_id bigint not null,
  status withdrawal.status not null default 'pending',
  amount_kopecks core.amount_kopecks not null,
  requisites text constraint withdrawal_requisites_are_sealed
    check (requisites ~ '^v1:[A-Za-z0-9+/]+={0,2}$' and length(requisites) <= 4096),
  available_after_kopecks core.balance_kopecks not null,
  held_after_kopecks core.balance_kopecks not null,
  requested_at timestamptz not null,
  idempotency_key core.idempotency_key,
  draft_id uuid,
  approvals_needed smallint,
  ended_at timestamptz,
  ended_by bigint,
  reason text,
  requisites_purge_at timestamptz,
  correlation_id text default left(nullif(current_setting('atlas.correlation_id', true), ''), 128),
  constraint withdrawal_pkey primary key (telegram_id, withdrawal_id),
  constraint withdrawal_key_once unique (telegram_id, idempotency_key),
  constraint withdrawal_draft_once unique (telegram_id, draft_id),
  constraint withdrawal_has_key_or_draft
    check ((idempotency_key is null) <> (draft_id is null)),
  constraint withdrawal_approved_says_by_how_many
    check ((status = 'approved') = (approvals_needed is not null)),
  constraint withdrawal_ended_says_when check ((status = 'pending') = (ended_at is null)),
  constraint withdrawal_pending_has_requisites check (status <> 'pending' or requisites is not null)
);
create index withdrawal_by_id on withdrawal.withdrawal (withdrawal_id);
create unique index withdrawal_one_pending on withdrawal.withdrawal (telegram_id)
  where status = 'pending';
create index withdrawal_waiting on withdrawal.withdrawal (requested_at, withdrawal_id)
  where status = 'pending';
create index withdrawal_recent on withdrawal.withdrawal (telegram_id, requested_at);
create index withdrawal_purge on withdrawal.withdrawal (requisites_purge_at)
  where requisites_purge_at is not null;
comment on table withdrawal.withdrawal is
  'Requests to take money out. The amount is held from the request to the end.';
comment on column withdrawal.withdrawal.telegram_id is 'Whose money.';
comment on column withdrawal.withdrawal.withdrawal_id is 'The withdrawal''s number.';
comment on column withdrawal.withdrawal.status is 'pending -> approved | rejected | cancelled.';
comment on column withdrawal.withdrawal.amount_kopecks is 'How much.';
comment on column withdrawal.withdrawal.requisites is
  'Where to, encrypted by the application; null once purged.';
comment on column withdrawal.withdrawal.available_after_kopecks is 'Available after the request: part of the first answer.';
comment on column withdrawal.withdrawal.held_after_kopecks is 'Held after the request: part of the first answer.';
comment on column withdrawal.withdrawal.requested_at is 'When it was asked for.';
comment on column withdrawal.withdrawal.idempotency_key is 'The user''s key; null when it was submitted from a draft.';
comment on column withdrawal.withdrawal.draft_id is 'The draft that it was submitted from: the key of withdrawal.submit.';
comment on column withdrawal.withdrawal.approvals_needed is 'How many admins had to approve it when it was approved.';
comment on column withdrawal.withdrawal.ended_at is 'When it was approved, rejected or cancelled.';
comment on column withdrawal.withdrawal.ended_by is 'The admin, or the user who cancelled.';
comment on column withdrawal.withdrawal.reason is 'Why it was rejected.';
comment on column withdrawal.withdrawal.requisites_purge_at is 'When the requisites are removed; null before the end and after the purge.';
comment on column withdrawal.withdrawal.correlation_id is 'Ties it to the update it came from.';

create table withdrawal.approval (
  telegram_id core.telegram_id not null,
  withdrawal_id bigint not null,
  admin_id core.telegram_id not null,
  approved_at timestamptz not null,
  status_after withdrawal.status not null,
  approvals_after smallint not null
    constraint approval_counts_itself check (approvals_after >= 1),
  constraint approval_pkey primary key (telegram_id, withdrawal_id, admin_id),
  constraint approval_of_withdrawal foreign key (telegram_id, withdrawal_id)
    references withdrawal.withdrawal (telegram_id, withdrawal_id),
  constraint approval_not_own check (admin_id <> telegram_id)
);
comment on table withdrawal.approval is 'Who approved what, each admin once.';
comment on column withdrawal.approval.telegram_id is 'Whose withdrawal.';
comment on column withdrawal.approval.withdrawal_id is 'Which one.';
comment on column withdrawal.approval.admin_id is 'Who approved it.';
comment on column withdrawal.approval.approved_at is 'When.';
comment on column withdrawal.approval.status_after is 'What the withdrawal was then: part of the first answer.';
comment on column withdrawal.approval.approvals_after is 'Approvals of active admins then, this one included: part of the first answer.';

create table withdrawal.draft (
  telegram_id core.telegram_id not null,
  draft_id uuid not null,
  amount_kopecks core.amount_kopecks not null,
  requisites text constraint draft_requisites_are_sealed
    check (requisites ~ '^v1:[A-Za-z0-9+/]+={0,2}$' and length(requisites) <= 4096),
  idempotency_key core.idempotency_key not null,
  drafted_at timestamptz not null,
  expires_at timestamptz not null,
  constraint draft_pkey primary key (telegram_id, draft_id),
  constraint draft_key_once unique (telegram_id, idempotency_key)
);
create index draft_expires on withdrawal.draft (expires_at) where requisites is not null;
comment on table withdrawal.draft is 'What the withdrawal dialogue shows before its last confirmation.';
comment on column withdrawal.draft.telegram_id is 'Whose money.';
comment on column withdrawal.draft.draft_id is 'The opaque id that the confirm button carries.';
comment on column withdrawal.draft.amount_kopecks is 'How much.';
comment on column withdrawal.draft.requisites is 'Where to, encrypted; null once submitted or purged.';
comment on column withdrawal.draft.idempotency_key is 'The user''s key.';
comment on column withdrawal.draft.drafted_at is 'When it was drafted.';
comment on column withdrawal.draft.expires_at is 'When it can no longer be submitted.';

create sequence outbox.task_id as bigint;
comment on sequence outbox.task_id is 'Numbers tasks in the order of their making.';
create table outbox.task (
  telegram_id core.telegram_id not null,
  task_id bigint not null default nextval('outbox.task_id'),
  kind outbox.kind not null,
  name text not null,
  due_at timestamptz not null,
  created_at timestamptz not null,
  attempt smallint not null default 0,
  is_repeatable boolean not null default false,
  purchase_id uuid,
  vpn_uuid uuid,
  amount_kopecks bigint,
  other_id bigint,
  arguments jsonb,
  holder text,
  lease_token uuid,
  leased_until timestamptz,
  finished_at timestamptz,
  outcome text,
  last_error text,
  correlation_id text default left(nullif(current_setting('atlas.correlation_id', true), ''), 128),
  constraint task_pkey primary key (telegram_id, task_id)
) with (fillfactor = 80);
-- Only what was claimed is looked up by its id alone: those who promise a task do not pay for this index.
create index task_by_id on outbox.task (task_id) where lease_token is not null;
create index task_due on outbox.task (kind, due_at) where finished_at is null;
create index task_created on outbox.task using brin (created_at) with (autosummarize = on);
-- The oldest of a user's unfinished tasks: in the primary key all the finished ones lie before it.
create index task_waiting on outbox.task (telegram_id, kind, task_id) where finished_at is null;
create index task_leased on outbox.task (leased_until)
  where finished_at is null and leased_until is not null;
-- What an admin may have to look at: keys that were tried in vain. Who promises a key or delivers it at once pays nothing.
create index task_undelivered on outbox.task (task_id)
  where kind = 'provision' and name = 'add' and last_error is not null
    and (finished_at is null or outcome = 'failed');
-- What a request for new keys for everybody has under way: it goes on when there is little of it.
create index task_reissue on outbox.task (other_id)
  where kind = 'provision' and finished_at is null and other_id is not null;
create unique index task_cashback_once on outbox.task (telegram_id, purchase_id, name)
  where kind = 'cashback';
comment on table outbox.task is 'Work that a committed transaction promised. A user''s tasks of a kind are worked in order.';
comment on column outbox.task.telegram_id is 'Whose task.';
comment on column outbox.task.task_id is 'job_id in vpn, message_id in notify.';
comment on column outbox.task.kind is 'provision, message or cashback.';
comment on column outbox.task.name is 'provision: add or remove; message: the template; cashback: reward or clawback.';
comment on column outbox.task.due_at is 'Not before.';
comment on column outbox.task.created_at is 'When it was promised.';
comment on column outbox.task.attempt is 'Attempts begun.';
comment on column outbox.task.is_repeatable is 'A message that is sent again when its outcome is unknown (keys only).';
comment on column outbox.task.purchase_id is 'The purchase it follows from.';
comment on column outbox.task.vpn_uuid is 'provision: the identity to add or remove.';
comment on column outbox.task.amount_kopecks is 'message: an amount to show; cashback: what was paid.';
comment on column outbox.task.other_id is
  'cashback: who bought; provision: the request for new keys for everybody that it is of.';
comment on column outbox.task.arguments is 'message: what else to show.';
comment on column outbox.task.holder is 'The worker that has it.';
comment on column outbox.task.lease_token is 'Proof of the last claim.';
comment on column outbox.task.leased_until is 'When the claim runs out; null when it is free.';
comment on column outbox.task.finished_at is 'When it ended.';
comment on column outbox.task.outcome is 'done, failed, lost, unreachable or outdated; void: a reward and its claw-back that met.';
comment on column outbox.task.last_error is 'The last failure.';
comment on column outbox.task.correlation_id is 'Ties it to the update or event it follows from.';

create table vpn.node (
  name text not null constraint node_pkey primary key
    constraint node_name_form check (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
  is_draining boolean not null default false,
  is_up boolean not null,
  users int constraint node_users_not_negative check (users >= 0),
  reported_at timestamptz not null,
  last_error text
);
comment on table vpn.node is 'The VPN nodes that workers know, as vpn.sync_nodes saw them last.';
comment on column vpn.node.name is 'Its name in VPN_NODES; the only one without a name is "node".';
comment on column vpn.node.is_draining is 'It gets no new keys; those that it has stay. vpn.set_node.';
comment on column vpn.node.is_up is 'Whether it answered.';
comment on column vpn.node.users is 'How many users it counted; null until it has answered once.';
comment on column vpn.node.reported_at is 'When it was asked last.';
comment on column vpn.node.last_error is 'Why it did not answer, or could not be mended; null when all went well.';

create table vpn.placement (
  vpn_uuid uuid not null constraint placement_pkey primary key,
  telegram_id core.telegram_id not null,
  node text not null,
  placed_at timestamptz not null
);
create index placement_by_node on vpn.placement (node, telegram_id);
comment on table vpn.placement is 'Which node an identity''s key leads to. No row: any node may have it.';
comment on column vpn.placement.vpn_uuid is 'The identity.';
comment on column vpn.placement.telegram_id is 'Whose it is.';
comment on column vpn.placement.node is 'The node. (Its row may be missing until it is reported.)';
comment on column vpn.placement.placed_at is 'When the key was made.';

create table vpn.reissue_request (
  request_id bigint generated always as identity constraint reissue_request_pkey primary key,
  admin_id core.telegram_id not null,
  idempotency_key core.idempotency_key not null,
  requested_at timestamptz not null,
  expected bigint not null constraint reissue_request_expected_not_negative check (expected >= 0),
  reached_id bigint not null default 0,
  done bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  finished_at timestamptz,
  cancelled_at timestamptz,
  cancelled_by core.telegram_id,
  constraint reissue_request_key_once unique (admin_id, idempotency_key),
  constraint reissue_request_ends_once check (finished_at is null or cancelled_at is null),
  constraint reissue_request_canceller_has_a_time check ((cancelled_by is null) = (cancelled_at is null))
) with (fillfactor = 50);
create unique index reissue_request_one_open on vpn.reissue_request ((true))
  where finished_at is null and cancelled_at is null;
comment on table vpn.reissue_request is
  'Requests of admins that everybody be given a new key, one open at a time; vpn.reissue_due works it off.';
comment on column vpn.reissue_request.request_id is 'The request''s number; the changes that it made have the key all:<number>.';
comment on column vpn.reissue_request.admin_id is 'Who asked for it.';
comment on column vpn.reissue_request.idempotency_key is 'The admin''s key of the call.';
comment on column vpn.reissue_request.requested_at is 'An identity that was made later is left as it is.';
comment on column vpn.reissue_request.expected is 'About how many people it was for when it was asked for.';
comment on column vpn.reissue_request.reached_id is 'Everybody up to this id has had their turn.';
comment on column vpn.reissue_request.done is 'People whom it gave a new identity.';
comment on column vpn.reissue_request.skipped is 'People who had a newer one when it was their turn.';
comment on column vpn.reissue_request.failed is 'People whom it could not give one: they are dead letters.';
comment on column vpn.reissue_request.finished_at is 'When everybody had had their turn.';
comment on column vpn.reissue_request.cancelled_at is 'When it was stopped; what was done stays.';
comment on column vpn.reissue_request.cancelled_by is 'Who stopped it.';

create type notify.anchor as enum ('start', 'end');
comment on type notify.anchor is 'Whether a reminder counts from the start of a period or back from its end.';
create table notify.reminder (
  period subscription.period not null,
  template text not null,
  longer_than_seconds bigint not null,
  at_most_seconds bigint not null,
  anchor notify.anchor not null,
  offset_seconds bigint not null constraint reminder_offset_positive check (offset_seconds > 0),
  constraint reminder_pkey primary key (period, template, longer_than_seconds),
  constraint reminder_lengths_grow check (longer_than_seconds < at_most_seconds)
);
comment on table notify.reminder is 'When users are reminded of what they have. Edit it here.';
comment on column notify.reminder.period is 'paid, trial or grant.';
comment on column notify.reminder.template is 'The message.';
comment on column notify.reminder.longer_than_seconds is 'Only for periods longer than this from start to end …';
comment on column notify.reminder.at_most_seconds is '… and not longer than this.';
comment on column notify.reminder.anchor is 'start or end.';
comment on column notify.reminder.offset_seconds is 'How long after the start, or before the end.';
insert into notify.reminder (period, template, longer_than_seconds, at_most_seconds, anchor, offset_seconds) values
  ('paid', 'reminder_3d', 0, 10000000000, 'end', 259200),
  ('paid', 'reminder_24h', 0, 10000000000, 'end', 86400),
  ('paid', 'reminder_3h', 0, 10000000000, 'end', 10800),
  ('trial', 'trial_6h', 0, 10000000000, 'start', 21600),
  ('trial', 'trial_48h', 0, 10000000000, 'start', 172800),
  ('trial', 'trial_ending', 0, 10000000000, 'end', 21600),
  ('grant', 'reminder_6h', 0, 86400, 'end', 21600),
  ('grant', 'reminder_24h', 86400, 604800, 'end', 86400),
  ('grant', 'reminder_3d', 604800, 10000000000, 'end', 259200),
  ('grant', 'reminder_24h', 604800, 10000000000, 'end', 86400),
  ('grant', 'reminder_3h', 604800, 10000000000, 'end', 10800);

create table inbox.update (
  update_id bigint not null constraint update_pkey primary key,
  chat_id bigint not null,
  payload json not null,
  received_at timestamptz not null,
  due_at timestamptz not null,
  attempt smallint not null default 0,
  holder text,
  lease_token uuid,
  leased_until timestamptz,
  finished_at timestamptz,
  last_error text
) with (fillfactor = 80);
create index update_waiting on inbox.update (update_id) where finished_at is null;
create index update_waiting_by_chat on inbox.update (chat_id, update_id) where finished_at is null;
create index update_leased on inbox.update (leased_until)
  where finished_at is null and leased_until is not null;
comment on table inbox.update is 'Telegram updates: stored before they are confirmed, handled once, in order per chat.';
comment on column inbox.update.update_id is 'Telegram''s id: the same update twice is one row.';
comment on column inbox.update.chat_id is 'Whose turn it takes: the chat, else the person; 0 for none.';
comment on column inbox.update.payload is
  'The update as it came; people''s words are sealed, and a pressed button comes without the text over it.';
comment on column inbox.update.received_at is 'When it was stored.';
comment on column inbox.update.due_at is 'Not before: moved by failures.';
comment on column inbox.update.attempt is 'Attempts begun.';
comment on column inbox.update.holder is 'The process that has it.';
comment on column inbox.update.lease_token is 'Proof of the last claim.';
comment on column inbox.update.leased_until is 'When the claim runs out; null when it is free.';
comment on column inbox.update.finished_at is 'When it was handled or given up.';
comment on column inbox.update.last_error is 'The last failure.';

create table audit.entry (
  entry_id bigint generated always as identity constraint entry_pkey primary key,
  occurred_at timestamptz not null,
  actor_id bigint,
  action text not null constraint entry_action_length check (length(action) between 1 and 128),
  subject_id text constraint entry_subject_length check (length(subject_id) <= 256),
  details jsonb not null default '{}',
  recorded_xid bigint not null default pg_current_xact_id()::text::bigint,
  correlation_id text default left(nullif(current_setting('atlas.correlation_id', true), ''), 128)
);
create index entry_occurred on audit.entry (occurred_at);
create index entry_recorded on audit.entry using brin (recorded_xid)
  with (pages_per_range = 16, autosummarize = on);
create index entry_subject on audit.entry (subject_id, occurred_at);
create index entry_actor on audit.entry (actor_id, occurred_at) where actor_id is not null;
comment on table audit.entry is 'What happened beside the ledger: refusals of authority, admins, switches, suspense.';
comment on column audit.entry.entry_id is 'The row''s number.';
comment on column audit.entry.occurred_at is 'When.';
comment on column audit.entry.actor_id is 'Who; null for the system and the owner.';
comment on column audit.entry.action is 'What: the function, or alarm.<name>.';
comment on column audit.entry.subject_id is 'On whom or what.';
comment on column audit.entry.details is 'The rest.';
comment on column audit.entry.recorded_xid is 'The writing transaction.';
comment on column audit.entry.correlation_id is 'Ties it to the update or event it came from.';

create table audit.batch (
  batch_id bigint constraint batch_pkey primary key,
  from_xid bigint not null,
  to_xid bigint not null,
  row_ids text[] not null,
  row_hashes bytea[] not null,
  sealed_rows bigint not null,
  previous_hash bytea not null,
  hash bytea not null,
  sealed_at timestamptz not null,
  constraint batch_xids_grow check (from_xid < to_xid),
  constraint batch_lists_match check (cardinality(row_ids) = cardinality(row_hashes))
);
comment on table audit.batch is
  'The seal: a hash chain over batches of ledger rows and audit entries, written after the fact.';
comment on column audit.batch.batch_id is '1, 2, 3 … without a gap.';
comment on column audit.batch.from_xid is 'Rows of transactions from here on …';
comment on column audit.batch.to_xid is '… to before here, none of which could still commit.';
comment on column audit.batch.row_ids is 'The rows, in order: transfer:<telegram_id>/<version> or entry:<entry_id>.';
comment on column audit.batch.row_hashes is 'SHA-256 of each row''s canonical form.';
comment on column audit.batch.sealed_rows is 'Rows sealed so far, this batch included.';
comment on column audit.batch.previous_hash is 'The hash of the batch before; 32 zero bytes for the first.';
comment on column audit.batch.hash is 'SHA-256 over all of the above.';
comment on column audit.batch.sealed_at is 'When it was sealed.';

create table ops.setting (
  name text constraint setting_pkey primary key,
  value bigint not null,
  minimum bigint not null,
  maximum bigint not null,
  description text not null,
  constraint setting_value_in_range check (value between minimum and maximum)
);
comment on table ops.setting is 'Numbers of the business; unit last in the name.';
comment on column ops.setting.name is 'The setting.';
comment on column ops.setting.value is 'In force from the next call on.';
comment on column ops.setting.minimum is 'Smallest value that makes sense.';
comment on column ops.setting.maximum is 'Largest value that makes sense.';
comment on column ops.setting.description is 'What it does.';
insert into ops.setting (name, value, minimum, maximum, description) values
  ('purchase_lifetime_seconds', 1800, 1, 86400, 'How long an opened purchase keeps its price.'),
  ('vip_discount_percent', 30, 0, 99, 'Discount of VIP users.'),
  ('star_kopecks', 170, 1, 100000, 'What one Telegram Star is worth.'),
  ('payment_tolerance_kopecks', 100, 0, 10000, 'A payment short by no more than this still buys.'),
  ('topup_minimum_kopecks', 10000, 1, 1000000000000, 'Smallest top-up.'),
  ('topup_maximum_kopecks', 10000000, 1, 1000000000000, 'Largest top-up.'),
  ('provisioning_attempts', 5, 1, 100, 'Attempts to deliver a key before the admins are told.'),
  ('message_attempts', 10, 1, 100, 'Attempts to send a message before it is given up.'),
  ('update_attempts', 5, 1, 100, 'Attempts to handle an update before it is given up.'),
  ('export_attempts', 5, 1, 100, 'Attempts in a row to send a part of an export before it is given up.'),
  ('dead_letters_told', 20, 1, 1000, 'Dead letters of one job of which the admins are told one by one.'),
  ('trial_days', 3, 1, 365, 'How long a trial lasts.'),
  ('renewal_window_seconds', 21600, 60, 604800, 'How long before its end a subscription renews itself.'),
  ('reminder_tolerance_seconds', 3600, 60, 86400, 'A reminder later than this is dropped.'),
  ('withdrawal_minimum_kopecks', 50000, 1, 1000000000000, 'Smallest withdrawal.'),
  ('withdrawals_per_day', 3, 1, 1000, 'Withdrawal requests of a user in 24 hours.'),
  ('withdrawal_four_eyes_kopecks', 5000000, 1, 1000000000000, 'From this on two admins have to approve.'),
  ('withdrawal_draft_seconds', 900, 60, 86400, 'How long a drafted withdrawal can be submitted.'),
  ('reissue_tasks_at_once', 200, 2, 100000, 'Tasks for the nodes that a new key for everybody has under way at once.'),
  ('action_draft_seconds', 900, 60, 86400, 'How long what an admin has drafted can be confirmed.'),
  ('requisites_days', 90, 0, 3650, 'How long requisites are kept after the end of a withdrawal.'),
  ('component_patience_seconds', 15, 0, 3600, 'How long a component has to be away until it counts as down.'),
  ('retention_days', 30, 1, 3650, 'How long handled updates, sent messages and job runs are kept.'),
  ('promo_attempts_per_minute', 10, 1, 100000, 'Promo codes that a user may try.'),
  ('withdrawal_attempts_per_hour', 3, 1, 100000, 'Withdrawals that a user may ask for.'),
  ('payment_attempts_per_minute', 5, 1, 100000, 'Invoices that a user may ask a provider for.'),
  ('trial_attempts_per_hour', 1, 1, 100000, 'Trials that a user may ask for.'),
  ('reissue_attempts_per_5_minutes', 3, 1, 100000, 'New keys that a user may ask for.'),
  ('corporate_attempts_per_day', 3, 1, 100000, 'Corporate requests that a user may make.'),
  ('admin_attempts_per_minute', 100, 1, 100000, 'What an admin may do.');

create table ops.rate_limit (
  action text constraint rate_limit_pkey primary key,
  setting_name text not null constraint rate_limit_of_setting references ops.setting (name),
  per_seconds int not null constraint rate_limit_per_seconds_positive check (per_seconds > 0)
);
comment on table ops.rate_limit is 'What a person may do only so often; the figures are settings.';
comment on column ops.rate_limit.action is 'What is limited.';
comment on column ops.rate_limit.setting_name is 'The setting that says how often.';
comment on column ops.rate_limit.per_seconds is 'In which time; so long an unused limit takes to be whole again.';
insert into ops.rate_limit (action, setting_name, per_seconds) values
  ('promo', 'promo_attempts_per_minute', 60),
  ('withdrawal', 'withdrawal_attempts_per_hour', 3600),
  ('payment', 'payment_attempts_per_minute', 60),
  ('trial', 'trial_attempts_per_hour', 3600),
  ('reissue', 'reissue_attempts_per_5_minutes', 300),
  ('corporate', 'corporate_attempts_per_day', 86400),
  ('admin', 'admin_attempts_per_minute', 60);

create table ops.attempt (
  telegram_id bigint,
  action text,
  whole_at timestamptz not null,
  constraint attempt_pkey primary key (telegram_id, action)
);
create index attempt_whole on ops.attempt (whole_at);
comment on table ops.attempt is 'How much of a limit a person has used: buckets whose tokens grow back evenly.';
comment on column ops.attempt.telegram_id is 'The person.';
comment on column ops.attempt.action is 'What is limited: ops.rate_limit.';
comment on column ops.attempt.whole_at is 'When the bucket is full again; each attempt moves it on by one token''s time.';

create table billing.topup_preset (
  amount_kopecks core.amount_kopecks not null constraint topup_preset_pkey primary key
);
comment on table billing.topup_preset is 'Amounts that the top-up screen offers.';
comment on column billing.topup_preset.amount_kopecks is 'The amount.';
insert into billing.topup_preset (amount_kopecks) values (25000), (75000), (99900);

create table ops.feature (
  name text constraint feature_pkey primary key,
  is_on boolean not null default true,
  description text not null
);
comment on table ops.feature is 'Switches; a function whose switch is off raises OP003 and changes nothing.';
comment on column ops.feature.name is 'The switch.';
comment on column ops.feature.is_on is 'Off: the functions named in the description refuse.';
comment on column ops.feature.description is 'What it switches.';
insert into ops.feature (name, description) values
  ('payments', 'open_purchase, open_topup, pay_from_balance, attach_invoice, precheck'),
  ('provisioning', 'vpn.claim_jobs'),
  ('auto_renewal', 'subscription.renew_due'),
  ('workers', 'every *_due'),
  ('admin_actions', 'functions with p_admin_id, but set_feature, block, revoke_admin'),
  ('withdrawals', 'withdrawal.draft, submit, request'),
  ('trials', 'subscription.start_trial'),
  ('broadcasts', 'broadcast.start and claim');

create table ops.incident (
  incident_id bigint generated always as identity constraint incident_pkey primary key,
  is_on boolean not null,
  text_ru text constraint incident_text_ru_length check (length(text_ru) between 1 and 1000),
  text_en text constraint incident_text_en_length check (length(text_en) between 1 and 1000),
  asked jsonb not null,
  set_at timestamptz not null,
  set_by core.telegram_id not null,
  idempotency_key core.idempotency_key not null,
  constraint incident_key_once unique (set_by, idempotency_key),
  constraint incident_on_has_texts check (not is_on or (text_ru is not null and text_en is not null))
);
create index incident_ends on ops.incident (incident_id) where not is_on;
comment on table ops.incident is
  'What people are told above their screens while something is wrong. The newest row is in force, the older ones are history.';
comment on column ops.incident.incident_id is 'The row''s number: the highest is in force.';
comment on column ops.incident.is_on is 'Whether people are told.';
comment on column ops.incident.text_ru is 'What is told in Russian; null where nothing was written yet.';
comment on column ops.incident.text_en is 'What is told in any other language.';
comment on column ops.incident.asked is 'The arguments of ops.set_incident: a repeat is compared with them.';
comment on column ops.incident.set_at is 'When it was set.';
comment on column ops.incident.set_by is 'The admin.';
comment on column ops.incident.idempotency_key is 'The admin''s key of the call.';

create table ops.lease (
  name text constraint lease_pkey primary key
    constraint lease_name_length check (length(name) between 1 and 128),
  holder text constraint lease_holder_length check (length(holder) between 1 and 256),
  epoch bigint not null,
  expires_at timestamptz not null,
  since timestamptz
);
comment on table ops.lease is 'Who leads what. The epoch grows with every change of leader and fences the old one.';
comment on column ops.lease.name is 'What is led: the job''s name.';
comment on column ops.lease.holder is 'Who leads; null after a release.';
comment on column ops.lease.epoch is 'Number of the leadership.';
comment on column ops.lease.expires_at is 'When it may be taken by another.';
comment on column ops.lease.since is 'When this leadership, or the last one, began; null before the first.';

create table ops.scheduled_job (
  name text constraint scheduled_job_pkey primary key,
  schedule text not null constraint scheduled_job_schedule_length check (length(schedule) between 1 and 64),
  is_enabled boolean not null default true,
  is_exclusive boolean not null,
  batch_size int not null constraint scheduled_job_batch_size_in_range check (batch_size between 1 and 10000),
  timeout_seconds int not null constraint scheduled_job_timeout_in_range check (timeout_seconds between 1 and 3600),
  next_run_at timestamptz,
  last_started_at timestamptz,
  last_finished_at timestamptz,
  last_items int,
  last_error text,
  consecutive_failures int not null default 0,
  description text not null
) with (fillfactor = 50);
comment on table ops.scheduled_job is 'The worker''s schedule; view ops.job shows it, ops.set_job changes it.';
comment on column ops.scheduled_job.name is 'The job.';
comment on column ops.scheduled_job.schedule is 'A cron expression (UTC), or "N seconds".';
comment on column ops.scheduled_job.is_enabled is 'False: no worker runs it.';
comment on column ops.scheduled_job.is_exclusive is 'True: one worker at a time, under a lease of the job''s name.';
comment on column ops.scheduled_job.batch_size is 'Rows a call.';
comment on column ops.scheduled_job.timeout_seconds is 'How long a run may take.';
comment on column ops.scheduled_job.next_run_at is 'Exclusive jobs: not before; null for at once.';
comment on column ops.scheduled_job.last_started_at is 'The last run''s start.';
comment on column ops.scheduled_job.last_finished_at is 'The last run''s end.';
comment on column ops.scheduled_job.last_items is 'What the last run worked off.';
comment on column ops.scheduled_job.last_error is 'The last run''s failure; null when it went well.';
comment on column ops.scheduled_job.consecutive_failures is 'Failures since the last run that went well.';
comment on column ops.scheduled_job.description is 'What it does.';
insert into ops.scheduled_job (name, schedule, is_exclusive, batch_size, timeout_seconds, description) values
  ('vpn.provision', '1 seconds', false, 20, 30, 'Puts bought keys on the VPN node.'),
  ('vpn.sync_nodes', '10 seconds', true, 1, 30, 'Compares each node''s users with the wanted ones and mends both ways.'),
  ('vpn.reissue_due', '1 seconds', true, 500, 30, 'Gives everybody a new key, when an admin has asked for it.'),
  ('notify.send', '1 seconds', false, 30, 60, 'Sends messages.'),
  ('broadcast.send', '1 seconds', false, 1000, 60, 'Sends broadcasts.'),
  ('ops.send_exports', '2 seconds', false, 1, 3600, 'Sends the files that admins have asked for.'),
  ('billing.expire_due', '5 seconds', true, 500, 30, 'Closes purchases that nobody paid.'),
  ('subscription.expire_due', '5 seconds', true, 1000, 30, 'Ends subscriptions whose time is over.'),
  ('subscription.renew_due', '20 seconds', true, 1000, 60, 'Renews subscriptions from the balance.'),
  ('referral.pay_due', '3 seconds', true, 1000, 60, 'Pays cashback, and claws it back.'),
  ('notify.enqueue_due', '20 seconds', true, 1000, 60, 'Queues reminders and the messages of a trial.'),
  ('withdrawal.purge_due', '41 3 * * *', true, 1000, 60, 'Removes requisites that are no longer needed.'),
  ('audit.seal', '3 seconds', true, 5000, 60, 'Seals ledger and audit rows.'),
  ('pay.poll_cryptobot', '5 seconds', true, 100, 30, 'Asks Crypto Pay for invoices paid.'),
  ('ops.check_health', '10 seconds', true, 100, 30, 'Looks whether what the shop depends on answers.'),
  ('ops.purge_due', '17 3 * * *', true, 5000, 300, 'Removes what is kept for 30 days only.'),
  ('ops.figures_due', '300 seconds', true, 3, 300, 'Reckons the figures of the days for the admins.');

create table ops.scheduled_job_run (
  run_id bigint generated always as identity constraint scheduled_job_run_pkey primary key,
  job_name text not null constraint scheduled_job_run_of_job references ops.scheduled_job (name),
  holder text not null,
  epoch bigint,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  items int not null constraint scheduled_job_run_items_not_negative check (items >= 0),
  error text
);
create index scheduled_job_run_by_job on ops.scheduled_job_run (job_name, started_at);
create index scheduled_job_run_finished on ops.scheduled_job_run (finished_at);
comment on table ops.scheduled_job_run is 'Runs that did something or failed; view ops.job_run shows them.';
comment on column ops.scheduled_job_run.run_id is 'The run''s number.';
comment on column ops.scheduled_job_run.job_name is 'The job.';
comment on column ops.scheduled_job_run.holder is 'The worker.';
comment on column ops.scheduled_job_run.epoch is 'Its leadership; null for a parallel job.';
comment on column ops.scheduled_job_run.started_at is 'Start.';
comment on column ops.scheduled_job_run.finished_at is 'End.';
comment on column ops.scheduled_job_run.items is 'What it worked off.';
comment on column ops.scheduled_job_run.error is 'Why it failed; null when it went well.';

create table ops.dead (
  dead_id bigint generated always as identity constraint dead_pkey primary key,
  job_name text not null,
  subject text not null,
  error text not null,
  died_at timestamptz not null,
  constraint dead_once unique (job_name, subject)
);
comment on table ops.dead is 'What a job or a handler gave up; view ops.dead_letter shows it.';
comment on column ops.dead.dead_id is 'The row''s number.';
comment on column ops.dead.job_name is 'Who gave up.';
comment on column ops.dead.subject is 'On what.';
comment on column ops.dead.error is 'Why.';
comment on column ops.dead.died_at is 'When.';

create table ops.day_figure (
  name text constraint day_figure_name_form check (name ~ '^[a-z0-9_]{1,64}$'),
  day date,
  value bigint not null,
  computed_at timestamptz not null,
  constraint day_figure_pkey primary key (name, day)
);
comment on table ops.day_figure is
  'Figures of one day (UTC), or as they were at the last look of that day; filled by ops.figures_due.';
comment on column ops.day_figure.name is
  'What is counted: users_new, revenue_<way>, refunded, payers_of_month, … and now_<what> for a look at all.';
comment on column ops.day_figure.day is 'The day, in UTC.';
comment on column ops.day_figure.value is 'How many; kopecks for money, milliseconds for time.';
comment on column ops.day_figure.computed_at is 'When it was reckoned.';

create type ops.export_kind as enum ('users', 'subscriptions', 'ledger', 'promo_batch');
comment on type ops.export_kind is
  'What an export has: all users, subscriptions in force, the whole ledger, or the codes of a batch.';
create type ops.export_outcome as enum ('done', 'cancelled', 'unreachable', 'refused', 'failed');
comment on type ops.export_outcome is
  'unreachable: the admin has blocked the bot. refused: the admin is one no more. failed: given up.';

create table ops.export (
  export_id bigint generated always as identity constraint export_pkey primary key,
  kind ops.export_kind not null,
  batch_id bigint constraint export_of_batch references promo.batch (batch_id),
  admin_id core.telegram_id not null,
  requested_at timestamptz not null,
  cut pg_snapshot not null,
  expected_rows bigint not null constraint export_expected_not_negative check (expected_rows >= 0),
  reached_id bigint not null default 0,
  reached_version bigint not null default 0,
  parts int not null default 0,
  rows_sent bigint not null default 0,
  rows_read bigint not null default 0,
  attempt smallint not null default 0,
  due_at timestamptz not null,
  holder text constraint export_holder_length check (length(holder) between 1 and 256),
  lease_token uuid,
  leased_until timestamptz,
  finished_at timestamptz,
  outcome ops.export_outcome,
  last_error text,
  constraint export_of_batch_names_it check ((kind = 'promo_batch') = (batch_id is not null)),
  constraint export_ended_has_an_outcome check ((finished_at is null) = (outcome is null)),
  constraint export_sends_what_it_has_read check (rows_sent between 0 and rows_read)
) with (fillfactor = 50);
create unique index export_one_open on ops.export (admin_id, kind, coalesce(batch_id, 0))
  where finished_at is null;
create index export_due on ops.export (due_at) where finished_at is null;
create index export_finished on ops.export (finished_at) where finished_at is not null;
create index export_by_admin on ops.export (admin_id, export_id);
comment on table ops.export is
  'Files that admins have asked for, and how far each is. The rows themselves are read when they are sent, and kept nowhere.';
comment on column ops.export.export_id is 'The export''s number.';
comment on column ops.export.kind is 'What is in it.';
comment on column ops.export.batch_id is 'promo_batch: of which batch.';
comment on column ops.export.admin_id is 'Who asked, and gets it.';
comment on column ops.export.requested_at is 'When; users who came later are not in it.';
comment on column ops.export.cut is 'What was committed when it was asked for: the ledger is exported as it was then.';
comment on column ops.export.expected_rows is 'About how many rows it has.';
comment on column ops.export.reached_id is 'All rows up to here are in parts that were sent: user, or promo code.';
comment on column ops.export.reached_version is 'And of this user''s ledger up to here.';
comment on column ops.export.parts is 'Parts sent.';
comment on column ops.export.rows_sent is 'Rows in them.';
comment on column ops.export.rows_read is 'Rows read so far: those sent, and what the worker has in hand.';
comment on column ops.export.attempt is 'Attempts begun since the last part was sent.';
comment on column ops.export.due_at is 'Not before.';
comment on column ops.export.holder is 'Which worker has it.';
comment on column ops.export.lease_token is 'Names that worker''s hold; it stands until somebody else claims.';
comment on column ops.export.leased_until is 'When another worker may claim it; null while nobody has it.';
comment on column ops.export.finished_at is 'When it ended.';
comment on column ops.export.outcome is 'How it ended.';
comment on column ops.export.last_error is 'Why the last attempt failed.';

create table ops.export_request (
  admin_id core.telegram_id not null,
  idempotency_key core.idempotency_key not null,
  export_id bigint not null
    constraint export_request_of_export references ops.export (export_id) on delete cascade,
  constraint export_request_pkey primary key (admin_id, idempotency_key)
);
create index export_request_by_export on ops.export_request (export_id);
comment on table ops.export_request is 'Calls that asked for an export: the first, and those that joined it.';
comment on column ops.export_request.admin_id is 'Who asked.';
comment on column ops.export_request.idempotency_key is 'The admin''s key of the call.';
comment on column ops.export_request.export_id is 'What it was answered with.';

create table ops.dependency (
  component text constraint dependency_pkey primary key,
  is_critical boolean not null,
  state text not null default 'unknown'
    constraint dependency_state_known check (state in ('unknown', 'up', 'down')),
  since timestamptz,
  failing_since timestamptz,
  reported_at timestamptz,
  reported_by text constraint dependency_reported_by_length check (length(reported_by) between 1 and 256),
  detail text
) with (fillfactor = 50);
comment on table ops.dependency is 'What the shop depends on, as workers saw it last; view ops.component_status shows it.';
comment on column ops.dependency.component is 'What it is.';
comment on column ops.dependency.is_critical is 'Without it nothing works; without another the shop works on, with something missing.';
comment on column ops.dependency.state is 'unknown until the first report, then up or down.';
comment on column ops.dependency.since is 'Since when it is so.';
comment on column ops.dependency.failing_since is 'When it was first seen not to answer; null while it does.';
comment on column ops.dependency.reported_at is 'The last report.';
comment on column ops.dependency.reported_by is 'Who reported.';
comment on column ops.dependency.detail is 'What was wrong at the last report; null when nothing was.';
insert into ops.dependency (component, is_critical) values
  ('database', true), ('redis', false), ('telegram', false), ('vpn', false), ('cryptopay', false);

create type broadcast.kind as enum ('info', 'maintenance', 'security', 'promo');
comment on type broadcast.kind is 'What a broadcast is about.';
create type broadcast.segment as enum ('all', 'active', 'expired', 'no_subscription', 'never_bought');
comment on type broadcast.segment is
  'Whom a broadcast is for, looked at when their turn comes. no_subscription: nothing in force.';
create type broadcast.offer as enum ('none', 'buy', 'trial', 'status', 'key');
comment on type broadcast.offer is 'Where the button under a broadcast leads.';
create type broadcast.status as enum ('draft', 'running', 'paused', 'done', 'cancelled');
comment on type broadcast.status is 'draft -> running <-> paused; running -> done; any of these -> cancelled.';
create type broadcast.outcome as enum ('sending', 'waiting', 'sent', 'unreachable', 'failed', 'unknown');
comment on type broadcast.outcome is
  'sending -> sent, unreachable, failed or unknown; or waiting for another attempt, and sending again.';

create table broadcast.broadcast (
  broadcast_id bigint generated always as identity constraint broadcast_pkey primary key,
  title text not null constraint broadcast_title_length check (length(title) between 1 and 128),
  kind broadcast.kind not null,
  segment broadcast.segment not null,
  offer broadcast.offer not null,
  text_a text not null constraint broadcast_text_a_length check (length(text_a) between 1 and 4096),
  text_b text constraint broadcast_text_b_length check (length(text_b) between 1 and 4096),
  starts_at timestamptz,
  status broadcast.status not null default 'draft',
  prepared_by core.telegram_id not null,
  prepared_at timestamptz not null,
  idempotency_key core.idempotency_key not null,
  started_at timestamptz,
  ended_at timestamptz,
  reached_id bigint not null default 0,
  expected_people bigint not null,
  moved_by core.telegram_id,
  moved_at timestamptz,
  constraint broadcast_key_once unique (prepared_by, idempotency_key),
  constraint broadcast_ended_has_a_time check ((status in ('done', 'cancelled')) = (ended_at is not null)),
  constraint broadcast_mover_has_a_time check ((moved_by is null) = (moved_at is null))
) with (fillfactor = 50);
create index broadcast_running on broadcast.broadcast (broadcast_id) where status = 'running';
comment on table broadcast.broadcast is 'One text, or two against each other, for many people.';
comment on column broadcast.broadcast.broadcast_id is 'The broadcast''s number.';
comment on column broadcast.broadcast.title is 'For the admins.';
comment on column broadcast.broadcast.kind is 'What it is about.';
comment on column broadcast.broadcast.segment is 'Whom it is for.';
comment on column broadcast.broadcast.offer is 'Where its button leads.';
comment on column broadcast.broadcast.text_a is 'Plain text, as it is sent.';
comment on column broadcast.broadcast.text_b is 'What a random half gets instead; null: everybody gets text_a.';
comment on column broadcast.broadcast.starts_at is 'Not before; null for at once.';
comment on column broadcast.broadcast.status is 'draft, running, paused, done or cancelled.';
comment on column broadcast.broadcast.prepared_by is 'The admin who wrote it.';
comment on column broadcast.broadcast.prepared_at is 'When it was written.';
comment on column broadcast.broadcast.idempotency_key is 'The admin''s key of the call.';
comment on column broadcast.broadcast.started_at is 'When it was first started.';
comment on column broadcast.broadcast.ended_at is 'When everybody had had their turn, or it was cancelled.';
comment on column broadcast.broadcast.reached_id is
  'Everybody up to this id has had their turn; the largest bigint once nobody is left.';
comment on column broadcast.broadcast.expected_people is 'About how many it was for when it began, or was written.';
comment on column broadcast.broadcast.moved_by is 'The admin who started, paused or cancelled it last.';
comment on column broadcast.broadcast.moved_at is 'And when.';

create table broadcast.tally (
  broadcast_id bigint constraint tally_pkey primary key
    constraint tally_of_broadcast references broadcast.broadcast,
  sent_a bigint not null default 0,
  sent_b bigint not null default 0,
  unreachable bigint not null default 0,
  failed bigint not null default 0,
  pressed_a bigint not null default 0,
  pressed_b bigint not null default 0,
  marked_at timestamptz not null default '-infinity',
  marked_people bigint not null default 0,
  since_at timestamptz not null default '-infinity',
  since_people bigint not null default 0
) with (fillfactor = 20);
comment on table broadcast.tally is
  'How many people each broadcast has reached: nobody counts a million rows to draw a screen. '
  'Locked after the people whom it counts.';
comment on column broadcast.tally.broadcast_id is 'The broadcast.';
comment on column broadcast.tally.sent_a is 'People it has reached with the first text.';
comment on column broadcast.tally.sent_b is 'People it has reached with the second text.';
comment on column broadcast.tally.unreachable is 'People who have blocked the bot.';
comment on column broadcast.tally.failed is 'People whom it was refused for, every time, or who got no more attempts.';
comment on column broadcast.tally.pressed_a is 'People with the first text who pressed its button.';
comment on column broadcast.tally.pressed_b is 'People with the second text who pressed its button.';
comment on column broadcast.tally.marked_at is 'The last moment, of one about every ten seconds, that its pace is taken at.';
comment on column broadcast.tally.marked_people is 'How many people had had their turn then.';
comment on column broadcast.tally.since_at is 'The moment before that: the pace is what came since.';
comment on column broadcast.tally.since_people is 'How many people had had their turn then.';

create table broadcast.recipient (
  telegram_id core.telegram_id not null,
  broadcast_id bigint not null constraint recipient_of_broadcast references broadcast.broadcast,
  variant text not null constraint recipient_variant_known check (variant in ('a', 'b')),
  outcome broadcast.outcome not null,
  attempt smallint not null,
  due_at timestamptz,
  holder text,
  lease_token uuid,
  leased_until timestamptz,
  finished_at timestamptz,
  last_error text,
  pressed_at timestamptz,
  constraint recipient_pkey primary key (telegram_id, broadcast_id),
  constraint recipient_ends_once check ((outcome in ('sending', 'waiting')) = (finished_at is null))
) with (fillfactor = 70);
create index recipient_unfinished on broadcast.recipient (broadcast_id, outcome) where finished_at is null;
create index recipient_unknown on broadcast.recipient (broadcast_id) where outcome = 'unknown';
create index recipient_finished on broadcast.recipient (finished_at) where finished_at is not null;
comment on table broadcast.recipient is 'Who has had their turn. The key is why nobody gets a broadcast twice.';
comment on column broadcast.recipient.telegram_id is 'The person.';
comment on column broadcast.recipient.broadcast_id is 'The broadcast.';
comment on column broadcast.recipient.variant is 'Which text: a or b.';
comment on column broadcast.recipient.outcome is
  'sending: marked before it is sent, so that a crash leaves it unknown and never sent twice.';
comment on column broadcast.recipient.attempt is 'Attempts begun.';
comment on column broadcast.recipient.due_at is 'waiting: not before.';
comment on column broadcast.recipient.holder is 'Which worker sends it, or did.';
comment on column broadcast.recipient.lease_token is 'Names the attempt.';
comment on column broadcast.recipient.leased_until is 'When an attempt that nobody ended becomes unknown.';
comment on column broadcast.recipient.finished_at is 'When it ended.';
comment on column broadcast.recipient.last_error is 'Why the last attempt failed.';
comment on column broadcast.recipient.pressed_at is 'When the person first pressed its button.';

-- +goose Down

drop schema core, account, wallet, ledger, promo, billing, subscription, referral, withdrawal,
  outbox, vpn, notify, broadcast, inbox, audit, ops cascade;
alter default privileges grant execute on functions to public;
