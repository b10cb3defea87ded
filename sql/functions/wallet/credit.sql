-- Adds money to a user's balance, by an admin.
-- Locks: account.admin row (share), user, wallet.
-- Raises: US001, US003, ID001, 22023, OP001, OP003.
create or replace function wallet.credit(
  p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text,
  p_idempotency_key text)
returns table (
  transfer_id bigint, available_kopecks bigint, held_kopecks bigint, is_replay boolean)
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.transfer_id, a.available_kopecks, a.held_kopecks, a.is_replay
  from wallet._adjust('admin_credit', 'adjustment', 'available', p_telegram_id, p_amount_kopecks,
                      p_admin_id, p_note, p_idempotency_key) a
$$;

comment on function wallet.credit is
  'Adds money to a user''s balance, by an admin. The note (1 to 1000 characters) is shown in the '
  'statement. Idempotent by p_idempotency_key: a repeat gives the first answer with is_replay = '
  'true.';

grant execute on function wallet.credit to atlas_admin, atlas_dba;
