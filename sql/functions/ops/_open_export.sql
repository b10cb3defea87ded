-- Begins an export, or gives the admin's that is under way.
-- Locks: the ops.export row.
-- Raises: nothing.
create or replace function ops._open_export(
  p_admin_id bigint, p_kind ops.export_kind, p_batch_id bigint)
returns bigint
language plpgsql
volatile
as $$
declare
  v_now timestamptz := core.now();
  v_export_id bigint;
begin
  insert into ops.export as e (
    kind, batch_id, admin_id, requested_at, cut, expected_rows, due_at)
  values (p_kind, p_batch_id, p_admin_id, v_now, pg_current_snapshot(),
          ops._export_size(p_kind, p_batch_id, v_now), v_now)
  on conflict (admin_id, kind, coalesce(batch_id, 0)) where finished_at is null
  do update set due_at = e.due_at -- changes nothing: it locks the row that is under way
  returning e.export_id into v_export_id;
  return v_export_id;
end
$$;

comment on function ops._open_export is
  'One that ends just now is not joined: the index then lets a new one begin.';
