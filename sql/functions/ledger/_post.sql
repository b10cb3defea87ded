-- Moves money once: the user's wallet and one ledger row. The caller holds the user's lock.
-- Locks: wallet row.
-- Raises: WA001.
create or replace function ledger._post(
  p_telegram_id bigint, p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account,
  p_amount_kopecks bigint, p_now timestamptz, p_purchase_id uuid default null,
  p_payment_id bigint default null, p_actor_id bigint default null, p_note text default null,
  p_idempotency_key text default null, p_withdrawal_id bigint default null,
  out transfer_id bigint, out available_kopecks bigint, out held_kopecks bigint)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_available_change bigint := case when p_credit = 'available' then p_amount_kopecks
                                    when p_debit = 'available' then -p_amount_kopecks else 0 end;
  v_held_change bigint := case when p_credit = 'held' then p_amount_kopecks
                               when p_debit = 'held' then -p_amount_kopecks else 0 end;
  v_debt_change bigint := case when p_debit = 'debt' then p_amount_kopecks
                               when p_credit = 'debt' then -p_amount_kopecks else 0 end;
  v_version bigint;
  v_debt_kopecks bigint;
begin
  if p_credit = 'available' then -- a renewal that was declined is tried again
    update subscription.subscription s
    set renew_check_at = p_now
    where s.telegram_id = p_telegram_id and s.auto_renew and s.renew_check_at is null
      and s.renew_declined_for = s.expires_at and s.expires_at > p_now;
  end if;

  update wallet.wallet w
  set available_kopecks = w.available_kopecks + v_available_change,
      held_kopecks = w.held_kopecks + v_held_change,
      debt_kopecks = w.debt_kopecks + v_debt_change,
      version = w.version + 1
  where w.telegram_id = p_telegram_id
    and w.available_kopecks + v_available_change >= 0
    and w.held_kopecks + v_held_change >= 0
    and w.debt_kopecks + v_debt_change >= 0
  returning w.available_kopecks, w.held_kopecks, w.debt_kopecks, w.version
  into _post.available_kopecks, _post.held_kopecks, v_debt_kopecks, v_version;
  if not found then
    perform ledger._refuse_unfunded(p_telegram_id, p_amount_kopecks);
  end if;

  insert into ledger.transfer as t (
    telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
    available_kopecks, held_kopecks, debt_kopecks, created_at,
    purchase_id, payment_id, withdrawal_id, actor_id, note, idempotency_key)
  values (
    p_telegram_id, v_version, p_debit, p_credit, p_reason, p_amount_kopecks,
    _post.available_kopecks, _post.held_kopecks, v_debt_kopecks, p_now,
    p_purchase_id, p_payment_id, p_withdrawal_id, p_actor_id, p_note, p_idempotency_key)
  returning t.transfer_id into _post.transfer_id;
end
$$;

comment on function ledger._post is
  'One movement from the debit to the credit account. The only writer of wallets and ledger rows, '
  'but for two that are called most: billing.pay_from_balance and subscription._renew.';
