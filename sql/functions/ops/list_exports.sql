-- An admin's exports and how far each is, newest first.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.list_exports(p_admin_id bigint, p_before bigint, p_limit int)
returns table (
  export_id bigint, kind text, batch_id bigint, requested_at timestamptz, expected_rows bigint,
  rows_read bigint, rows_sent bigint, parts int, is_running boolean, last_error text,
  finished_at timestamptz, outcome text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select e.export_id, e.kind::text, e.batch_id, e.requested_at, e.expected_rows, e.rows_read,
         e.rows_sent, e.parts, e.leased_until is not null, e.last_error, e.finished_at,
         e.outcome::text
  from ops.export e
  where e.admin_id = p_admin_id and (p_before is null or e.export_id < p_before)
  order by e.export_id desc
  limit p_limit;
end
$$;

comment on function ops.list_exports is
  'For admins only, each sees their own: p_before is the last page''s last export_id, null for the '
  'first page. expected_rows is about; rows_read moves every few seconds while is_running. '
  'Reads only.';

grant execute on function ops.list_exports to atlas_admin, atlas_dba;
