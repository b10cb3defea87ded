-- Reads the next rows of an export.
-- Locks: none.
-- Raises: 22023.
create or replace function ops.export_page(
  p_export_id bigint, p_lease_token uuid, p_after_id bigint, p_after_version bigint, p_limit int)
returns table (reached_id bigint, reached_version bigint, cells text[])
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- a generic one does not know how few rows p_limit is
as $$
#variable_conflict use_column
declare
  v_export record;
begin
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(p_after_id is not null and p_after_version is not null,
                        'p_after_id, p_after_version: of the last row, or what claim_export gave');
  perform core._require(p_limit between 1 and 5000, 'p_limit: 1 to 5000');

  select e.kind, e.batch_id, e.requested_at, e.cut into v_export
  from ops.export e
  join account.admin a on a.telegram_id = e.admin_id and a.is_active
  where e.export_id = p_export_id and e.lease_token = p_lease_token and e.finished_at is null;
  if not found then
    return;
  end if;

  case v_export.kind
    when 'users' then
      return query select p.reached_id, p.reached_version, p.cells
      from ops._export_users(p_after_id, v_export.requested_at, p_limit) p;
    when 'subscriptions' then
      return query select p.reached_id, p.reached_version, p.cells
      from ops._export_subscriptions(p_after_id, v_export.requested_at, p_limit) p;
    when 'ledger' then
      return query select p.reached_id, p.reached_version, p.cells
      from ops._export_ledger(p_after_id, p_after_version, v_export.cut, p_limit) p;
    when 'promo_batch' then
      return query select p.reached_id, p.reached_version, p.cells
      from ops._export_codes(v_export.batch_id, p_after_id, p_limit) p;
  end case;
end
$$;

comment on function ops.export_page is
  'Up to p_limit rows after a place, in the order of a primary key: the same place gives the same '
  'rows. cells is null for a row that was passed by; fewer rows than p_limit are the last ones. '
  'No row at all, too, once the lease was lost or the export is over: ops.keep_export says '
  'so, and nothing is sent without asking it. Reads only.';

grant execute on function ops.export_page to atlas_worker, atlas_dba;
