-- Writes a broadcast, to be started later.
-- Locks: account.admin row (share).
-- Raises: US003, ID001, 22023, OP001, OP003.
create or replace function broadcast.prepare(
  p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text,
  p_starts_at timestamptz, p_idempotency_key text)
returns table (broadcast_id bigint, recipients bigint, is_replay boolean, is_estimate boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard('admin_actions');
  perform broadcast._require_text(p_admin_id, p_title, p_kind, p_segment, p_text_a, p_text_b);
  perform core._require(p_starts_at is null or isfinite(p_starts_at),
                        'p_starts_at: a moment, or null for at once');
  perform core._require_key(p_idempotency_key);

  return query
  select w.broadcast_id, w.recipients, w.is_replay, w.is_estimate
  from broadcast._write(p_admin_id, p_title, p_kind, p_segment, p_text_a, p_text_b,
                        broadcast._usual_offer(p_kind), p_starts_at, p_idempotency_key) w;
end
$$;

comment on function broadcast.prepare is
  'recipients: how many people that is now, estimated (is_estimate) when there are many users; who '
  'is in the segment is looked at again when their turn comes. p_text_b: a random half gets it '
  'instead. The texts are plain, no HTML. Under them is the button that fits p_kind; '
  'broadcast.compose has a choice. Nothing is sent before broadcast.start. Idempotent by '
  'p_idempotency_key, which belongs to the admin.';

grant execute on function broadcast.prepare to atlas_admin, atlas_dba;
