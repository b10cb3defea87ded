-- Writes a broadcast with a button, to be launched later.
-- Locks: account.admin row (share).
-- Raises: US003, ID001, 22023, OP001, OP003.
create or replace function broadcast.compose(
  p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text,
  p_offer text, p_idempotency_key text)
returns table (broadcast_id bigint, recipients bigint, is_replay boolean, is_estimate boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard('admin_actions');
  perform broadcast._require_text(p_admin_id, p_title, p_kind, p_segment, p_text_a, p_text_b);
  perform core._require(
    p_offer is null or p_offer = any (enum_range(null::broadcast.offer)::text[]),
    'p_offer: none, buy, trial, status or key, or null for the one that fits p_kind');
  perform core._require_key(p_idempotency_key);

  return query
  select w.broadcast_id, w.recipients, w.is_replay, w.is_estimate
  from broadcast._write(p_admin_id, p_title, p_kind, p_segment, p_text_a, p_text_b,
                        coalesce(p_offer, broadcast._usual_offer(p_kind)), null,
                        p_idempotency_key) w;
end
$$;

comment on function broadcast.compose is
  'As broadcast.prepare, with a choice of the button: where it leads, or none. When it goes out is '
  'broadcast.launch''s to say.';

grant execute on function broadcast.compose to atlas_admin, atlas_dba;
