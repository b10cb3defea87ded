-- One page of the money that is nobody's yet, oldest first.
-- Locks: none.
-- Raises: PY002, US003, 22023.
create or replace function billing.list_suspense(
  p_admin_id bigint, p_after_id bigint, p_limit int)
returns table (
  payment_id bigint, provider text, amount_minor bigint, currency text, suspense_reason text,
  received_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_after timestamptz := timestamptz '-infinity';
begin
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');
  perform account._only_admins(p_admin_id);
  if p_after_id is not null then
    select p.received_at into v_after from billing.payment p where p.payment_id = p_after_id;
    if not found then
      perform core._refuse('PY002', format('no payment has payment_id %s', p_after_id));
    end if;
  end if;

  return query
  select p.payment_id, p.provider, p.amount_minor, p.currency, p.suspense_reason, p.received_at
  from billing.payment p
  where p.outcome = 'suspense'
    and (p.received_at, p.payment_id) > (v_after, coalesce(p_after_id, 0))
  order by p.received_at, p.payment_id
  limit p_limit;
end
$$;

comment on function billing.list_suspense is
  'For admins only. p_after_id: the last row of the page before, which may have been assigned '
  'since; null begins. Reads only.';

grant execute on function billing.list_suspense to atlas_admin, atlas_dba;
