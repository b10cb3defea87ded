-- Notes that an admin wants a charge given back, before the provider is asked to do so.
-- Locks: account.admin row (share), user, billing.charge row.
-- Raises: US003, PY001, 22023, 40001, OP001, OP003.
create or replace function billing.begin_refund(
  p_admin_id bigint, p_provider text, p_charge_id text, p_reason text)
returns table (
  payment_id bigint, payer_id bigint, amount_minor bigint, currency text, outcome text,
  is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_charge record;
  v_payment record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(length(p_charge_id) between 1 and 256, 'p_charge_id: 1 to 256 characters');
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform billing._require_provider(p_provider);
  perform account._require_admin(p_admin_id);

  v_charge := billing._lock_charge(p_provider, p_charge_id);
  perform core._require(v_charge.payment_id is not null, 'p_charge_id: a charge in the books');
  select coalesce(p.payer_id, nullif(p.telegram_id, 0)) as payer_id, p.amount_minor, p.currency,
         p.outcome::text as outcome, p.refund_begun_at is not null as is_begun
  into strict v_payment
  from billing.payment p
  where p.telegram_id = v_charge.telegram_id and p.payment_id = v_charge.payment_id;
  if not v_payment.is_begun then
    update billing.payment p
    set refund_begun_by = p_admin_id, refund_begun_at = core.now(), refund_reason = p_reason
    where p.telegram_id = v_charge.telegram_id and p.payment_id = v_charge.payment_id;
    perform audit._record('billing.begin_refund', p_admin_id,
                          'payment:' || v_charge.payment_id,
                          jsonb_build_object('provider', p_provider, 'charge_id', p_charge_id,
                                             'reason', p_reason));
  end if;
  return query
  select v_charge.payment_id, v_payment.payer_id, v_payment.amount_minor, v_payment.currency,
         v_payment.outcome, v_payment.is_begun;
end
$$;

comment on function billing.begin_refund is
  'Moves no money: after it the provider is asked, and billing.reverse_payment follows once the '
  'provider has said yes, or that it was refunded before. Whoever finds a refund begun and not '
  'reversed calls it again, with any admin: a replay, because a provider refunds a charge once. '
  'payer_id: who has paid, else whose it is; null if nobody knows.';

grant execute on function billing.begin_refund to atlas_payments, atlas_admin, atlas_dba;
