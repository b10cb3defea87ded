-- Moves a payment out of suspense to a user and credits it.
-- Locks: wallet; the caller holds the user's lock and the charge.
-- Raises: nothing.
create or replace function billing._assign(
  p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint,
  p_note text)
returns void
language plpgsql
volatile
as $$
declare
  v_now timestamptz := core.now();
begin
  update billing.payment p
  set telegram_id = p_telegram_id, outcome = 'credited', worth_kopecks = p_amount_kopecks,
      credited_kopecks = p_amount_kopecks, resolved_by = p_admin_id, resolved_at = v_now,
      resolution_note = p_note
  where p.telegram_id = 0 and p.payment_id = p_payment_id;
  update billing.charge c
  set telegram_id = p_telegram_id
  from billing.payment p
  where p.telegram_id = p_telegram_id and p.payment_id = p_payment_id
    and c.provider = p.provider and c.charge_id = p.charge_id;

  perform ledger._post(
    p_telegram_id, 'suspense', 'provider', 'available', p_amount_kopecks, v_now,
    p_payment_id => p_payment_id, p_actor_id => p_admin_id, p_note => p_note);
  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, amount_kopecks, arguments)
  values (p_telegram_id, 'message', 'payment_credited', v_now, v_now, p_amount_kopecks,
          jsonb_build_object('reason', 'suspense'));
  perform audit._record(
    'billing.resolve_suspense', p_admin_id, 'payment:' || p_payment_id, jsonb_build_object(
      'telegram_id', p_telegram_id, 'amount_kopecks', p_amount_kopecks, 'note', p_note));
end
$$;

comment on function billing._assign is 'resolve_suspense once nothing speaks against it.';
