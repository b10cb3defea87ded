-- Gives money in suspense to the user whose it is, once.
-- Locks: account.admin row (share), user, billing.charge row, wallet.
-- Raises: PY002, US001, US003, 22023, OP001, OP003.
create or replace function billing.resolve_suspense(
  p_admin_id bigint, p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint,
  p_note text)
returns table (payment_id bigint, outcome text, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_payment record;
  v_amount_kopecks bigint;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_payment_id >= 1, 'p_payment_id: of a payment in suspense');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks is null or p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: null as received, or 1 to 10^12');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  v_payment := billing._lock_suspense(p_payment_id);

  v_amount_kopecks := coalesce(p_amount_kopecks, v_payment.rub_kopecks);
  if (v_payment.resolved_by, v_payment.telegram_id, v_payment.worth_kopecks)
     = (p_admin_id, p_telegram_id, v_amount_kopecks) then
    return query select p_payment_id, 'credited', true;
    return;
  elsif v_payment.outcome <> 'suspense' then
    perform core._refuse('PY002', format(
      'payment_id %s: %s, to telegram_id %s, by %s at %s', p_payment_id, v_payment.outcome,
      nullif(v_payment.telegram_id, 0),
      coalesce('admin ' || v_payment.resolved_by, 'the provider'),
      coalesce(v_payment.resolved_at, v_payment.reversed_at, v_payment.received_at)));
  end if;
  perform core._require(
    v_amount_kopecks between 1 and coalesce(v_payment.rub_kopecks, 1000000000000)
      and v_amount_kopecks <= 1000000000000,
    format('p_amount_kopecks: %s %s were received', v_payment.amount_minor, v_payment.currency));

  perform billing._assign(p_payment_id, p_telegram_id, v_amount_kopecks, p_admin_id, p_note);
  return query select p_payment_id, 'credited', false;
end
$$;

comment on function billing.resolve_suspense is
  'All of it goes to the user''s balance. A null amount is as received, for roubles only; roubles '
  'are never credited above what was received. Its own key: the same admin''s second call with the'
  ' same user and amount is a replay, anything else is PY002.';

grant execute on function billing.resolve_suspense to atlas_admin, atlas_dba;
