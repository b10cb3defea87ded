-- Ends an export that was attempted often enough.
-- Locks: none; the caller holds the row.
-- Raises: nothing.
create or replace function ops._give_up_export(p_export_id bigint, p_error text)
returns void
language plpgsql
volatile
as $$
begin
  perform ops._end_export(p_export_id, 'failed', null, p_error);
  perform ops._bury('ops.send_exports', 'export:' || p_export_id, p_error);
end
$$;

comment on function ops._give_up_export is
  'A dead letter: an admin can have it tried again, from its last part on.';
