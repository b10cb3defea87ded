-- Invoices that a provider may have been paid for and we have not heard of.
-- Locks: none.
-- Raises: 22023.
create or replace function billing.pending_invoices(
  p_provider text, p_before_at timestamptz, p_before_invoice_id text, p_limit int)
returns table (
  purchase_id uuid, invoice_id text, amount_minor bigint, currency text,
  attached_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require(length(p_provider) between 1 and 64, 'p_provider: 1 to 64 characters');
  perform core._require((p_before_at is null) = (p_before_invoice_id is null),
                        'p_before_at and p_before_invoice_id: both or neither');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');

  return query
  select n.purchase_id, n.invoice_id, n.amount_minor, n.currency, n.attached_at
  from billing.invoice n
  where n.provider = p_provider
    and n.attached_at > v_now - interval '3 days'
    and (n.attached_at, n.invoice_id)
        < (coalesce(p_before_at, 'infinity'), coalesce(p_before_invoice_id, ''))
    and not exists (select 1 from billing.charge c
                    where c.provider = n.provider and c.charge_id = n.invoice_id)
  order by n.attached_at desc, n.invoice_id desc
  limit p_limit;
end
$$;

comment on function billing.pending_invoices is
  'Attached within 3 days and not settled, newest first; for providers whose charge id is the '
  'invoice id. For the next page: the last row''s attached_at and invoice_id; nulls to begin. '
  'Reads only.';

grant execute on function billing.pending_invoices to atlas_worker, atlas_payments, atlas_dba;
