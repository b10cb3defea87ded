-- Hashes a batch together with the hash of the one before.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._batch_hash(
  p_batch_id bigint, p_from_xid bigint, p_to_xid bigint, p_row_ids text[], p_row_hashes bytea[],
  p_previous_hash bytea)
returns bytea
language sql
stable
as $$
  select sha256(decode('01', 'hex') || int8send(p_batch_id) || int8send(p_from_xid)
    || int8send(p_to_xid) || int8send(count(*)) || p_previous_hash
    || coalesce(string_agg(audit._field(r.row_id) || r.row_hash, ''::bytea order by r.place), ''))
  from unnest(p_row_ids, p_row_hashes) with ordinality r (row_id, row_hash, place)
$$;

comment on function audit._batch_hash is
  'SHA-256 over a version byte 01, the batch''s number, its range, the number of its rows (eight '
  'bytes each), the hash before, and of each row its id (framed) and its hash.';
