-- Ends an export.
-- Locks: none; the caller holds the row.
-- Raises: nothing.
create or replace function ops._end_export(
  p_export_id bigint, p_outcome ops.export_outcome, p_actor_id bigint,
  p_error text default null)
returns void
language plpgsql
volatile
as $$
declare
  v_ended record;
begin
  update ops.export e
  set finished_at = core.now(), outcome = p_outcome, leased_until = null,
      rows_read = e.rows_sent, last_error = coalesce(left(p_error, 1000), e.last_error)
  where e.export_id = p_export_id
  returning e.admin_id, e.kind, e.parts, e.rows_sent into v_ended;
  perform audit._record('ops.export_ended', p_actor_id, p_export_id::text, jsonb_build_object(
    'outcome', p_outcome, 'kind', v_ended.kind, 'parts', v_ended.parts,
    'rows', v_ended.rows_sent, 'admin_id', v_ended.admin_id));
end
$$;

comment on function ops._end_export is
  'The token stays: a part that was on its way is still recorded. The audit keeps what went to '
  'whom after the row is gone.';
