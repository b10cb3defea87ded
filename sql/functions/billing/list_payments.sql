-- A provider's payments of a period, in the order in which they were received.
-- Locks: none.
-- Raises: 22023.
create or replace function billing.list_payments(
  p_provider text, p_from timestamptz, p_to timestamptz, p_after_payment_id bigint, p_limit int)
returns table (
  payment_id bigint, charge_id text, telegram_id bigint, payer_id bigint, purchase_id uuid,
  amount_minor bigint, currency text, outcome text, suspense_reason text,
  received_at timestamptz, reversed_at timestamptz, refund_begun_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(length(p_provider) between 1 and 64, 'p_provider: 1 to 64 characters');
  perform core._require(p_from is not null, 'p_from: the beginning of the period');
  perform core._require(p_to is not null, 'p_to: the end of the period');
  perform core._require(p_after_payment_id >= 0, 'p_after_payment_id: 0 to begin');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');

  return query
  select p.payment_id, p.charge_id, nullif(p.telegram_id, 0), p.payer_id, p.purchase_id,
         p.amount_minor, p.currency, p.outcome::text, p.suspense_reason, p.received_at,
         p.reversed_at, p.refund_begun_at
  from billing.payment p
  where p.provider = p_provider
    and (p.received_at, p.payment_id) > (p_from, p_after_payment_id)
    and p.received_at < p_to
  order by p.received_at, p.payment_id
  limit p_limit;
end
$$;

comment on function billing.list_payments is
  'Received from p_from on and before p_to. For the next page: the last row''s received_at and '
  'payment_id as p_from and p_after_payment_id. A null telegram_id: nobody''s. Reads only.';

grant execute on function billing.list_payments to atlas_payments, atlas_auditor, atlas_dba;
