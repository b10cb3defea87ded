-- Compares the ledger and the audit log with their seal.
-- Locks: none.
-- Raises: nothing.
create or replace function audit.verify()
returns table (is_intact boolean, sealed bigint, first_bad text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_first_bad text := audit._first_bad();
begin
  return query
  select v_first_bad is null, l.sealed_rows, v_first_bad from audit._last_batch() l;
end
$$;

comment on function audit.verify is
  'Reads everything that is sealed: an edited, missing or added row, or a broken batch, whichever '
  'comes first. A cut tail and a chain made anew by the owner show only in audit.verify_against.';

grant execute on function audit.verify to atlas_auditor, atlas_worker, atlas_dba;
