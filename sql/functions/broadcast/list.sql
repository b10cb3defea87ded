-- The broadcasts in some state, newest first.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function broadcast.list(
  p_admin_id bigint, p_state text, p_before_id bigint, p_limit int)
returns table (
  broadcast_id bigint, title text, kind text, segment text, is_ab boolean, status text,
  starts_at timestamptz, is_begun boolean, sent bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_statuses broadcast.status[];
begin
  perform account._only_admins(p_admin_id);
  v_statuses := case p_state
    when 'draft' then '{draft}'::broadcast.status[]
    when 'running' then '{running,paused}'::broadcast.status[]
    when 'over' then '{done,cancelled}'::broadcast.status[] end;
  perform core._require(v_statuses is not null, 'p_state: draft, running or over');
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');

  return query
  select b.broadcast_id, b.title, b.kind::text, b.segment::text, b.text_b is not null,
         b.status::text, b.starts_at,
         b.started_at is not null and coalesce(b.starts_at <= core.now(), true),
         t.sent_a + t.sent_b
  from broadcast.broadcast b
  join broadcast.tally t on t.broadcast_id = b.broadcast_id
  where b.status = any (v_statuses) and (b.broadcast_id < p_before_id) is not false
  order by b.broadcast_id desc
  limit p_limit;
end
$$;

comment on function broadcast.list is
  'For admins only. p_state: draft, running (paused ones, too) or over (done or cancelled). '
  'p_before_id: the last one of the page before, null for the first page. Reads only.';

grant execute on function broadcast.list to atlas_admin, atlas_dba;
