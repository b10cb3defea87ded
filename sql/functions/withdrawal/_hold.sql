-- Makes a pending withdrawal and holds its amount. The caller holds the user's lock.
-- Locks: wallet.
-- Raises: US002, WA001, WD003, WD004.
create or replace function withdrawal._hold(
  p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_requisites text,
  p_now timestamptz, p_idempotency_key text, p_draft_id uuid)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_withdrawal_id bigint;
  v_wallet record;
begin
  perform withdrawal._require_may(p_telegram_id, p_is_blocked, p_amount_kopecks, p_now);
  v_withdrawal_id := nextval('withdrawal.withdrawal_id');

  select p.available_kopecks, p.held_kopecks into v_wallet
  from ledger._post(p_telegram_id, 'withdrawal_hold', 'available', 'held', p_amount_kopecks,
                    p_now, p_withdrawal_id => v_withdrawal_id) p;
  insert into withdrawal.withdrawal (
    telegram_id, withdrawal_id, amount_kopecks, requisites, available_after_kopecks,
    held_after_kopecks, requested_at, idempotency_key, draft_id)
  values (p_telegram_id, v_withdrawal_id, p_amount_kopecks, p_requisites,
          v_wallet.available_kopecks, v_wallet.held_kopecks, p_now, p_idempotency_key, p_draft_id);

  perform audit._record('withdrawal.request', p_telegram_id, 'withdrawal:' || v_withdrawal_id,
                        jsonb_build_object('amount_kopecks', p_amount_kopecks,
                                           'draft_id', p_draft_id));
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, amount_kopecks, arguments)
  select a.telegram_id, 'message', 'withdrawal_requested', p_now, p_now, p_amount_kopecks,
         jsonb_build_object('withdrawal_id', v_withdrawal_id, 'telegram_id', p_telegram_id)
  from account.admin a
  where a.is_active;
end
$$;

comment on function withdrawal._hold is
  'What request and submit do: one movement available -> held, the withdrawal, and a message to '
  'the admins.';
