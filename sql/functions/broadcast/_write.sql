-- Writes a broadcast.
-- Locks: account.admin row (share).
-- Raises: US003, ID001.
create or replace function broadcast._write(
  p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text,
  p_offer text, p_starts_at timestamptz, p_key text)
returns table (broadcast_id bigint, recipients bigint, is_replay boolean, is_estimate boolean)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_size record;
  v_first record;
begin
  perform account._require_admin(p_admin_id);
  v_now := core.now();
  select s.people, s.is_estimate into v_size
  from broadcast._size(p_segment::broadcast.segment, v_now) s;

  insert into broadcast.broadcast as b (
    title, kind, segment, offer, text_a, text_b, starts_at, prepared_by, prepared_at,
    idempotency_key, expected_people)
  values (
    p_title, p_kind::broadcast.kind, p_segment::broadcast.segment, p_offer::broadcast.offer,
    p_text_a, p_text_b, p_starts_at, p_admin_id, v_now, p_key, v_size.people)
  on conflict on constraint broadcast_key_once do nothing;
  is_replay := not found;

  select b.* into v_first
  from broadcast.broadcast b
  where b.prepared_by = p_admin_id and b.idempotency_key = p_key;
  if (v_first.title, v_first.kind::text, v_first.segment::text, v_first.offer::text,
      v_first.text_a, v_first.text_b)
     is distinct from (p_title, p_kind, p_segment, p_offer, p_text_a, p_text_b)
     or v_first.moved_at is null and v_first.starts_at is distinct from p_starts_at then
    perform core._refuse('ID001', format('broadcast %s has the key', v_first.broadcast_id));
  end if;
  if not is_replay then
    insert into broadcast.tally (broadcast_id) values (v_first.broadcast_id);
    perform audit._record('broadcast.prepare', p_admin_id, v_first.broadcast_id::text,
      jsonb_build_object('title', p_title, 'kind', p_kind, 'segment', p_segment,
                         'is_ab', p_text_b is not null, 'offer', p_offer,
                         'starts_at', p_starts_at));
  end if;

  return query
  select v_first.broadcast_id, v_size.people, _write.is_replay, v_size.is_estimate;
end
$$;

comment on function broadcast._write is 
  'What prepare and compose have in common. The time is compared only until somebody starts it, '
  'perhaps at another.';
