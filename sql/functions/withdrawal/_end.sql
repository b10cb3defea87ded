-- Ends a pending withdrawal: pays the held money out or gives it back.
-- Locks: wallet; the caller holds the user's lock.
-- Raises: nothing.
create or replace function withdrawal._end(
  p_telegram_id bigint, p_withdrawal_id bigint, p_status withdrawal.status, p_ended_by bigint,
  p_reason text, p_approvals_needed int, p_now timestamptz)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_amount_kopecks bigint;
  v_is_paid_out boolean := p_status = 'approved';
begin
  update withdrawal.withdrawal w
  set status = p_status, ended_at = p_now, ended_by = p_ended_by, reason = p_reason,
      approvals_needed = p_approvals_needed,
      requisites_purge_at = p_now
        + make_interval(days => ops._setting_value('requisites_days')::int)
  where w.telegram_id = p_telegram_id and w.withdrawal_id = p_withdrawal_id
    and w.status = 'pending'
  returning w.amount_kopecks into strict v_amount_kopecks;

  perform ledger._post(
    p_telegram_id,
    (case when v_is_paid_out then 'withdrawal_payout' else 'withdrawal_return' end)::ledger.reason,
    'held', (case when v_is_paid_out then 'payout' else 'available' end)::ledger.account,
    v_amount_kopecks, p_now, p_withdrawal_id => p_withdrawal_id,
    p_actor_id => nullif(p_ended_by, p_telegram_id));

  if p_status <> 'cancelled' then
    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, amount_kopecks, arguments)
    values (p_telegram_id, 'message', 'withdrawal_' || p_status, p_now, p_now, v_amount_kopecks,
            jsonb_strip_nulls(jsonb_build_object('reason', p_reason)));
  end if;
end
$$;

comment on function withdrawal._end is
  'The one way out of pending: status, one movement of the held amount, and word to the user '
  'unless they cancelled it.';
