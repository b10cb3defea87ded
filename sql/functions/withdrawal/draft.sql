-- Keeps what the withdrawal dialogue has asked for until its last confirmation.
-- Locks: user.
-- Raises: WA001, WD003, WD004, US001, US002, ID001, 22023, OP001, OP003.
create or replace function withdrawal.draft(
  p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text)
returns table (draft_id uuid, expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_first record;
begin
  perform core._guard('withdrawals');
  perform withdrawal._require_request(p_telegram_id, p_amount_kopecks, p_requisites,
                                      p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  select d.draft_id, d.amount_kopecks into v_first
  from withdrawal.draft d
  where d.telegram_id = p_telegram_id and d.idempotency_key = p_idempotency_key;
  draft.is_replay := found;
  if not draft.is_replay then
    perform withdrawal._require_may(p_telegram_id, v_is_blocked, p_amount_kopecks, v_now);
    insert into withdrawal.draft (
      telegram_id, draft_id, amount_kopecks, requisites, idempotency_key, drafted_at, expires_at)
    values (p_telegram_id, gen_random_uuid(), p_amount_kopecks, p_requisites, p_idempotency_key,
            v_now, v_now + make_interval(
              secs => ops._setting_value('withdrawal_draft_seconds')));
  elsif v_first.amount_kopecks <> p_amount_kopecks then
    perform core._refuse('ID001', format('draft_id %s has the key', v_first.draft_id));
  end if;

  return query
  select d.draft_id, d.expires_at, draft.is_replay
  from withdrawal.draft d
  where d.telegram_id = p_telegram_id and d.idempotency_key = p_idempotency_key;
end
$$;

comment on function withdrawal.draft is
  'Checks what request would check and moves no money; the confirm button carries draft_id and '
  'nothing else. It can be submitted for 15 minutes (setting withdrawal_draft_seconds), then its '
  'requisites are removed. Idempotent by p_idempotency_key; requisites are not compared.';

grant execute on function withdrawal.draft to atlas_bot, atlas_dba;
