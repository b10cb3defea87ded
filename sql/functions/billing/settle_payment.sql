-- Books money that a provider has received, exactly once per charge id.
-- Locks: user, promo.use (row exclusive) for a late purchase with a code, wallet.
-- Raises: PY001, 22023, OP001.
create or replace function billing.settle_payment(
  p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint,
  p_amount_minor bigint, p_currency text, p_raw jsonb)
returns table (
  payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint,
  subscription_expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require(length(p_charge_id) between 1 and 256,
                        'p_charge_id: 1 to 256 characters');
  perform core._require(p_amount_minor >= 1, 'p_amount_minor: 1 or more');
  perform core._require(length(p_currency) between 1 and 16, 'p_currency: 1 to 16 characters');
  perform billing._require_provider(p_provider);

  return query
  select s.payment_id, s.outcome, s.telegram_id, s.credited_kopecks, s.subscription_expires_at,
         s.is_replay
  from billing._settle(p_provider, p_charge_id, p_purchase_id, p_payer_id, p_amount_minor,
                       p_currency, p_raw) s;
end
$$;

comment on function billing.settle_payment is
  'Received money is never refused or lost. Its key is (provider, charge id): a repeat is a '
  'replay, whatever else differs. outcome: applied (bought the purchase, late or not; a surplus '
  'is credited), credited (all of it is on the payer''s balance: bought already, too little, paid'
  ' by somebody else, or a blocked user), suspense (unknown purchase or payer, wrong currency: '
  'the admins are told), reversed. A null p_payer_id is the purchase''s owner.';

grant execute on function billing.settle_payment to atlas_payments, atlas_dba;
