-- An admin's change of a balance: wallet.credit and wallet.debit.
-- Locks: account.admin row (share), user, wallet.
-- Raises: US001, US003, ID001, WA001, 22023, OP001, OP003.
create or replace function wallet._adjust(
  p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_telegram_id bigint,
  p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text,
  out transfer_id bigint, out available_kopecks bigint, out held_kopecks bigint,
  out is_replay boolean)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);

  select t.transfer_id, t.available_kopecks, t.held_kopecks, t.amount_kopecks, t.actor_id, t.note
  into v_first
  from ledger.transfer t
  where t.telegram_id = p_telegram_id and t.reason = p_reason
    and t.idempotency_key = p_idempotency_key;

  _adjust.is_replay := found;
  if not _adjust.is_replay then
    select p.transfer_id, p.available_kopecks, p.held_kopecks
    into _adjust.transfer_id, _adjust.available_kopecks, _adjust.held_kopecks
    from ledger._post(p_telegram_id, p_reason, p_debit, p_credit, p_amount_kopecks, core.now(),
                      p_actor_id => p_admin_id, p_note => p_note,
                      p_idempotency_key => p_idempotency_key) p;
    return;
  end if;

  if (v_first.amount_kopecks, v_first.actor_id, v_first.note)
     is distinct from (p_amount_kopecks, p_admin_id, p_note) then
    perform core._refuse('ID001', format('%s: transfer_id %s has the key',
                                         p_reason, v_first.transfer_id));
  end if;
  _adjust.transfer_id := v_first.transfer_id;
  _adjust.available_kopecks := v_first.available_kopecks;
  _adjust.held_kopecks := v_first.held_kopecks;
end
$$;

comment on function wallet._adjust is
  'wallet.credit and wallet.debit; the ledger row keeps the key.';
