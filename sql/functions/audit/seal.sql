-- Seals the next rows of the ledger and the audit log: one more batch of the hash chain.
-- Locks: lease.
-- Raises: 22023, OP001.
create or replace function audit.seal(p_limit int)
returns table (sealed int, sealed_rows bigint, head text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last record;
  v_to_xid bigint;
  v_row_ids text[];
  v_row_hashes bytea[];
  v_hash bytea;
begin
  perform core._guard();
  perform core._require(p_limit between 1 and 100000, 'p_limit: 1 to 100000');

  insert into ops.lease (name, epoch, expires_at)
  values ('audit.seal', 0, '-infinity')
  on conflict on constraint lease_pkey do nothing;
  perform 1 from ops.lease l where l.name = 'audit.seal' for no key update;

  select l.batch_id, l.to_xid, l.sealed_rows, l.hash into strict v_last from audit._last_batch() l;
  -- The horizon first, the rows in later statements: no older transaction can add to them.
  v_to_xid := audit._batch_end(
    v_last.to_xid, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, p_limit);

  select array_agg(r.row_id order by r.recorded_xid, r.row_id collate "C"),
         array_agg(r.row_hash order by r.recorded_xid, r.row_id collate "C")
  into v_row_ids, v_row_hashes
  from audit._rows(v_last.to_xid, v_to_xid) r;
  if v_row_ids is null then
    return query select 0, v_last.sealed_rows, encode(v_last.hash, 'hex');
    return;
  end if;

  v_hash := audit._batch_hash(v_last.batch_id + 1, v_last.to_xid, v_to_xid,
                              v_row_ids, v_row_hashes, v_last.hash);
  insert into audit.batch (batch_id, from_xid, to_xid, row_ids, row_hashes, sealed_rows,
                           previous_hash, hash, sealed_at)
  values (v_last.batch_id + 1, v_last.to_xid, v_to_xid, v_row_ids, v_row_hashes,
          v_last.sealed_rows + cardinality(v_row_ids), v_last.hash, v_hash, core.now());

  return query
  select cardinality(v_row_ids), v_last.sealed_rows + cardinality(v_row_ids),
         encode(v_hash, 'hex');
end
$$;

comment on function audit.seal is
  'Seals about p_limit rows whose transactions are below every running one''s, so that nothing can '
  'still appear among them; money never waits for it. sealed_rows and head are the state after it: '
  'keep them outside the database for audit.verify_against. A transaction that stays open holds '
  'sealing up.';

grant execute on function audit.seal to atlas_worker, atlas_dba;
