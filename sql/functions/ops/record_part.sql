-- Notes that a part of an export was sent; the last one ends it.
-- Locks: the ops.export row.
-- Raises: 22023, OP001.
create or replace function ops.record_part(
  p_export_id bigint, p_lease_token uuid, p_part int, p_rows bigint, p_reached_id bigint,
  p_reached_version bigint, p_is_last boolean)
returns table (is_recorded boolean, outcome text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_export record;
begin
  perform core._guard();
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(p_part >= 1, 'p_part: 1 or more');
  perform core._require(p_rows between 0 and 1000000000000, 'p_rows: 0 to 10^12');
  perform core._require(p_reached_id is not null and p_reached_version is not null,
                        'p_reached_id, p_reached_version: of the last row in the part');
  perform core._require(p_is_last is not null, 'p_is_last: true or false');

  select e.parts, e.finished_at is null as is_open into v_export
  from ops.export e
  where e.export_id = p_export_id and e.lease_token = p_lease_token
  for no key update;
  is_recorded := found;
  if record_part.is_recorded and v_export.parts < p_part then
    perform core._require(p_part = v_export.parts + 1, 'p_part: the one after the last');
    update ops.export e
    set parts = p_part, rows_sent = e.rows_sent + p_rows,
        rows_read = greatest(e.rows_read, e.rows_sent + p_rows), reached_id = p_reached_id,
        reached_version = p_reached_version, attempt = 1, last_error = null
    where e.export_id = p_export_id;
    if p_is_last and v_export.is_open then
      perform ops._end_export(p_export_id, 'done', null);
    end if;
  end if;

  return query
  select record_part.is_recorded,
         (select e.outcome::text from ops.export e
          where e.export_id = p_export_id and e.lease_token = p_lease_token);
end
$$;

comment on function ops.record_part is
  'Whoever goes on begins after p_reached_id and p_reached_version. The attempts are counted anew. '
  'is_recorded is false when the lease was lost: the part may come once more. A part that was on '
  'its way when the export ended is counted, and changes no outcome. Safe to call again.';

grant execute on function ops.record_part to atlas_worker, atlas_dba;
