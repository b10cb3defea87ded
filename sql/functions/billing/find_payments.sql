-- The payments of a provider's charges, whenever they were received.
-- Locks: none.
-- Raises: 22023.
create or replace function billing.find_payments(p_provider text, p_charge_ids text[])
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
  perform core._require(cardinality(p_charge_ids) <= 1000, 'p_charge_ids: at most 1000');

  return query
  select p.payment_id, p.charge_id, nullif(p.telegram_id, 0), p.payer_id, p.purchase_id,
         p.amount_minor, p.currency, p.outcome::text, p.suspense_reason, p.received_at,
         p.reversed_at, p.refund_begun_at
  from billing.charge c
  join billing.payment p on p.telegram_id = c.telegram_id and p.payment_id = c.payment_id
  where c.provider = p_provider and c.charge_id = any (p_charge_ids)
  order by p.payment_id;
end
$$;

comment on function billing.find_payments is
  'Of the charges that are in the books; the others have no row. Reads only.';

grant execute on function billing.find_payments to atlas_payments, atlas_auditor, atlas_dba;
