-- Session of atlas_bot_login: what the bot's login may not do, whatever is sent through it.
\set SHOW_CONTEXT never

-- It calls functions …
select is_new from account.register(
  p_telegram_id => 1001, p_username => 'anna', p_language => 'en', p_start_payload => null);
select * from wallet.balance(p_telegram_id => 1001);

-- … and touches no table, neither to write nor to read.
update wallet.wallet set available_kopecks = 1000000 where telegram_id = 1001;
insert into account.admin values (1001, true, 'me', now());
delete from ledger.transfer;
truncate audit.entry;
select * from billing.payment;

-- Helpers behind the functions are nobody's.
select ledger._post(1001, 'admin_credit', 'adjustment', 'available', 1000000, now());
select account._set_admin(1001, 'me', true);

-- Nor do these lead anywhere.
select * from account.grant_admin(p_telegram_id => 1001, p_note => 'me');
select * from ops.set_setting(p_name => 'star_kopecks', p_value => 1);
create temp table wallet (telegram_id bigint);
create schema mine;
set role atlas_owner;

-- An admin's function takes an admin's id, and a made-up one is refused.
select * from wallet.credit(
  p_telegram_id => 1001, p_amount_kopecks => 1000000, p_admin_id => 1001, p_note => 'me',
  p_idempotency_key => 'k');
select * from wallet.balance(p_telegram_id => 1001);
