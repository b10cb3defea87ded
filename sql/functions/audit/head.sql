-- Gives the head of the seal, to be kept outside the database.
-- Locks: none.
-- Raises: nothing.
create or replace function audit.head()
returns table (sealed_rows bigint, head text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select l.sealed_rows, encode(l.hash, 'hex') from audit._last_batch() l;
end
$$;

comment on function audit.head is
  'How many rows are sealed, and the last batch''s hash in hex (zeros before the first): the two '
  'arguments of audit.verify_against.';

grant execute on function audit.head to atlas_auditor, atlas_worker, atlas_dba;
