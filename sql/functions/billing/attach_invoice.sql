-- Notes that a provider has an invoice for a purchase.
-- Locks: user.
-- Raises: PU001, PU003, PU005, PY001, 22023, OP001, OP003.
create or replace function billing.attach_invoice(
  p_purchase_id uuid, p_provider text, p_invoice_id text, p_amount_minor bigint,
  p_currency text)
returns table (purchase_id uuid, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_owner_id bigint;
  v_way record;
begin
  perform core._guard('payments');
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform core._require(length(p_invoice_id) between 1 and 256,
                        'p_invoice_id: 1 to 256 characters');
  perform billing._require_provider(p_provider);

  select u.telegram_id into v_owner_id
  from billing.purchase u where u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
  perform account._lock(v_owner_id);

  select w.amount_minor, w.currency, w.refusal into strict v_way
  from billing.ways_to_pay(v_owner_id, p_purchase_id) w where w.provider = p_provider;
  perform core._require((p_amount_minor, p_currency) = (v_way.amount_minor, v_way.currency),
    format('p_amount_minor, p_currency: ways_to_pay says %s %s',
           v_way.amount_minor, v_way.currency));

  if exists (select 1 from billing.invoice n
             where n.telegram_id = v_owner_id and n.purchase_id = p_purchase_id
               and n.provider = p_provider and n.invoice_id = p_invoice_id) then
    return query select p_purchase_id, true;
    return;
  end if;

  if v_way.refusal = 'below_minimum' then
    perform core._refuse('PU005', format('%s %s at %s', p_amount_minor, p_currency, p_provider));
  elsif v_way.refusal = 'switched_off' then
    perform core._refuse('PY001', format('%s is switched off', p_provider));
  elsif v_way.refusal is not null then
    perform core._refuse('PU003', format('purchase_id %s: %s', p_purchase_id, v_way.refusal));
  end if;

  perform core._require(
    not exists (select 1 from billing.invoice n
                where n.provider = p_provider and n.invoice_id = p_invoice_id),
    'p_invoice_id: of no other purchase');

  insert into billing.invoice (
    telegram_id, purchase_id, provider, invoice_id, amount_minor, currency, attached_at)
  values (v_owner_id, p_purchase_id, p_provider, p_invoice_id, p_amount_minor, p_currency,
          core.now());
  return query select p_purchase_id, false;
end
$$;

comment on function billing.attach_invoice is
  'Ties an invoice to an open purchase, for the amount that billing.ways_to_pay named and no '
  'other. A second call with the same invoice is a replay; a purchase may have several invoices.';

grant execute on function billing.attach_invoice to atlas_bot, atlas_dba;
