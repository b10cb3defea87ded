-- Writes a broadcast, to be started later.
-- Locks: account.admin row (share).
-- Raises: US003, ID001, 22023, OP001, OP003.
create or replace function broadcast.prepare(
  p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text,
  p_starts_at timestamptz, p_idempotency_key text)
returns table (broadcast_id bigint, recipients bigint, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(length(p_title) between 1 and 128, 'p_title: 1 to 128 characters');
  perform core._require(p_kind = any (enum_range(null::broadcast.kind)::text[]),
                        'p_kind: info, maintenance, security or promo');
  perform core._require(
    p_segment = any (enum_range(null::broadcast.segment)::text[]),
    'p_segment: all, active, expired, no_subscription or never_bought');
  perform core._require(length(p_text_a) between 1 and 4096, 'p_text_a: 1 to 4096 characters');
  perform core._require(p_text_b is null or length(p_text_b) between 1 and 4096,
                        'p_text_b: 1 to 4096 characters, or null for one text');
  perform core._require(p_starts_at is null or isfinite(p_starts_at),
                        'p_starts_at: a moment, or null for at once');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);

  insert into broadcast.broadcast as b (
    title, kind, segment, text_a, text_b, starts_at, prepared_by, prepared_at, idempotency_key)
  values (
    p_title, p_kind::broadcast.kind, p_segment::broadcast.segment, p_text_a, p_text_b,
    p_starts_at, p_admin_id, core.now(), p_idempotency_key)
  on conflict on constraint broadcast_key_once do nothing;
  is_replay := not found;

  select b.* into v_first
  from broadcast.broadcast b
  where b.prepared_by = p_admin_id and b.idempotency_key = p_idempotency_key;
  if (v_first.title, v_first.kind::text, v_first.segment::text, v_first.text_a, v_first.text_b,
      v_first.starts_at)
     is distinct from (p_title, p_kind, p_segment, p_text_a, p_text_b, p_starts_at) then
    perform core._refuse('ID001', format('broadcast %s has the key', v_first.broadcast_id));
  end if;
  if not is_replay then
    perform audit._record('broadcast.prepare', p_admin_id, v_first.broadcast_id::text,
      jsonb_build_object('title', p_title, 'kind', p_kind, 'segment', p_segment,
                         'is_ab', p_text_b is not null, 'starts_at', p_starts_at));
  end if;

  return query
  select v_first.broadcast_id,
         (select count(*) from broadcast._people(v_first.segment, 0, null, core.now())),
         prepare.is_replay;
end
$$;

comment on function broadcast.prepare is
  'recipients: how many people that is now; who is in the segment is looked at again when their '
  'turn comes. p_text_b: a random half gets it instead. The texts are plain, no HTML. Nothing is '
  'sent before broadcast.start. Idempotent by p_idempotency_key, which belongs to the admin.';

grant execute on function broadcast.prepare to atlas_admin, atlas_dba;
