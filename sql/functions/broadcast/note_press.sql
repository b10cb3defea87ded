-- Notes that somebody pressed the button under a broadcast, and says where it leads.
-- Locks: broadcast.recipient row, then the broadcast's tally.
-- Raises: BR001, 22023, OP001.
create or replace function broadcast.note_press(p_telegram_id bigint, p_broadcast_id bigint)
returns table (broadcast_id bigint, offer text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_variant text;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_broadcast_id is not null, 'p_broadcast_id: what the button carries');

  update broadcast.recipient r
  set pressed_at = core.now()
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id and r.pressed_at is null
  returning r.variant into v_variant;
  if found then
    update broadcast.tally t
    set pressed_a = t.pressed_a + (v_variant = 'a')::int,
        pressed_b = t.pressed_b + (v_variant = 'b')::int
    where t.broadcast_id = p_broadcast_id;
  end if;

  return query
  select b.broadcast_id, b.offer::text
  from broadcast.recipient r
  join broadcast.broadcast b on b.broadcast_id = r.broadcast_id
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id;
  if not found then
    perform core._refuse('BR001', format('broadcast_id %s of telegram_id %s', p_broadcast_id,
                                         p_telegram_id));
  end if;
end
$$;

comment on function broadcast.note_press is
  'Each person counts once, however often they press. BR001: they did not get it, or more than '
  'retention_days ago.';

grant execute on function broadcast.note_press to atlas_bot, atlas_dba;
