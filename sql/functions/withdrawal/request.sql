-- Asks for money to be paid out: holds the amount until an admin decides.
-- Locks: user, wallet.
-- Raises: WA001, WD003, WD004, US001, US002, ID001, 22023, OP001, OP003.
create or replace function withdrawal.request(
  p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text)
returns table (
  withdrawal_id bigint, status text, available_kopecks bigint, held_kopecks bigint,
  is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_first record;
begin
  perform core._guard('withdrawals');
  perform withdrawal._require_request(p_telegram_id, p_amount_kopecks, p_requisites,
                                      p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);

  select w.withdrawal_id, w.amount_kopecks into v_first
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.idempotency_key = p_idempotency_key;
  request.is_replay := found;
  if not request.is_replay then
    perform withdrawal._hold(p_telegram_id, v_is_blocked, p_amount_kopecks, p_requisites,
                             core.now(), p_idempotency_key, null);
  elsif v_first.amount_kopecks <> p_amount_kopecks then
    perform core._refuse('ID001', format('withdrawal_id %s has the key', v_first.withdrawal_id));
  end if;

  return query
  select w.withdrawal_id, 'pending', w.available_after_kopecks::bigint,
         w.held_after_kopecks::bigint, request.is_replay
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.idempotency_key = p_idempotency_key;
end
$$;

comment on function withdrawal.request is
  'Holds the amount and tells the admins. p_requisites is where to pay, sealed by the application '
  '(cmd/migrate seal-requisites makes one for psql). One at a time, at most 3 in 24 hours, not '
  'below the minimum (settings), nothing while there is a debt. Idempotent by p_idempotency_key; '
  'requisites are not compared.';

grant execute on function withdrawal.request to atlas_bot, atlas_dba;
