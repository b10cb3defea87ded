-- A broadcast, and how far it is.
-- Locks: none.
-- Raises: BR001, US003, 22023.
create or replace function broadcast.show(p_admin_id bigint, p_broadcast_id bigint)
returns table (
  broadcast_id bigint, title text, kind text, segment text, offer text, text_a text, text_b text,
  status text, prepared_by bigint, prepared_by_name text, prepared_at timestamptz,
  starts_at timestamptz, is_begun boolean, ended_at timestamptz, moved_by bigint,
  moved_by_name text, moved_at timestamptz, expected_people bigint, is_estimate boolean,
  sent_a bigint, sent_b bigint, pressed_a bigint, pressed_b bigint, unreachable bigint,
  failed bigint, unknown bigint, unfinished bigint, left_people bigint, people_per_minute int,
  ends_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform account._only_admins(p_admin_id);
  perform core._require(p_broadcast_id is not null, 'p_broadcast_id: the id from list');

  return query
  select b.broadcast_id, b.title, b.kind::text, b.segment::text, b.offer::text, b.text_a, b.text_b,
         b.status::text, b.prepared_by::bigint, w.username, b.prepared_at, b.starts_at,
         b.started_at is not null and coalesce(b.starts_at <= v_now, true), b.ended_at,
         b.moved_by::bigint, m.username, b.moved_at, e.people, e.is_estimate,
         p.sent_a, p.sent_b, p.pressed_a, p.pressed_b, p.unreachable, p.failed, p.unknown,
         p.unfinished, l.people, (60 * p.people_per_second)::int,
         case when b.status = 'running' and p.people_per_second > 0
              then v_now + make_interval(secs => l.people / p.people_per_second) end
  from broadcast.broadcast b
  join broadcast.progress p on p.broadcast_id = b.broadcast_id
  cross join lateral broadcast._expected(
    b.status, b.segment, b.expected_people, v_now) e
  cross join lateral (
    select case when b.status in ('done', 'cancelled') then 0
                else greatest(e.people - p.sent - p.unreachable - p.failed - p.unknown,
                              p.unfinished) end as people) l
  left join account.account w on w.telegram_id = b.prepared_by
  left join account.account m on m.telegram_id = b.moved_by
  where b.broadcast_id = p_broadcast_id;
  if not found then
    perform core._refuse('BR001', format('broadcast_id %s', p_broadcast_id));
  end if;
end
$$;

comment on function broadcast.show is
  'For admins only. expected_people: of a draft how many its segment has now, else how many it had '
  'when it began; is_estimate says whether that was counted. left_people and ends_at follow from '
  'it. people_per_minute: over the last ten to twenty seconds, null when nothing is sent. Reads '
  'only.';

grant execute on function broadcast.show to atlas_admin, atlas_dba;
