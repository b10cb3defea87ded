-- Leaves an export to a later attempt.
-- Locks: none; the caller holds the row.
-- Raises: nothing.
create or replace function ops._put_back_export(
  p_export_id bigint, p_error text, p_wait interval, p_attempts_back int)
returns void
language sql
volatile
as $$
  update ops.export e
  set due_at = core.now() + p_wait, attempt = e.attempt - p_attempts_back, leased_until = null,
      rows_read = e.rows_sent, last_error = left(p_error, 1000)
  where e.export_id = p_export_id
$$;

comment on function ops._put_back_export is
  'Its token stays, so that a repeat is known; what was read beyond the last part is read again.';
