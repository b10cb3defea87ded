-- Compares the ledger and the audit log with their seal, and the seal with a copy of its head.
-- Locks: none.
-- Raises: 22023.
create or replace function audit.verify_against(p_sealed bigint, p_head text)
returns table (is_intact boolean, sealed bigint, first_bad text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_first_bad text;
  v_head text;
begin
  perform core._require(p_sealed >= 0, 'p_sealed: 0 or more');
  perform core._require(p_head ~ '^[0-9a-f]{64}$', 'p_head: 64 characters 0-9, a-f');

  v_first_bad := audit._first_bad();
  if v_first_bad is null then
    select encode(b.hash, 'hex') into v_head from audit.batch b where b.sealed_rows = p_sealed;
    if p_sealed = 0 then
      v_head := repeat('0', 64);
    end if;
    v_first_bad := case
      when v_head is null then format('no batch ends at %s rows', p_sealed)
      when v_head <> p_head then format('the head at %s rows is %s', p_sealed, v_head)
    end;
  end if;

  return query
  select v_first_bad is null, l.sealed_rows, v_first_bad from audit._last_batch() l;
end
$$;

comment on function audit.verify_against is
  'audit.verify, and then: the batch that ended at p_sealed rows is still there and has the hash '
  'p_head, as audit.seal or audit.head once gave them and somebody kept outside the database.';

grant execute on function audit.verify_against to atlas_auditor, atlas_worker, atlas_dba;
