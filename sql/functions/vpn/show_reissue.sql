-- How far the open request that everybody be given a new key is, or how the last one ended.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function vpn.show_reissue(p_admin_id bigint)
returns table (
  request_id bigint, status text, admin_id bigint, username text, requested_at timestamptz,
  expected bigint, done bigint, skipped bigint, failed bigint, waiting bigint, removing bigint,
  seconds_left bigint, ended_at timestamptz, ended_by bigint, ended_by_name text)
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

  return query
  select r.request_id,
         case when r.cancelled_at is not null then 'cancelled'
              when r.finished_at is not null then 'done' else 'running' end,
         r.admin_id::bigint, a.username, r.requested_at, r.expected, r.done, r.skipped, r.failed,
         w.waiting, w.removing,
         case when r.finished_at is null and r.cancelled_at is null and p.turns > 0
              then (greatest(r.expected - p.turns, 0) / p.turns
                    * extract(epoch from v_now - r.requested_at))::bigint end,
         coalesce(r.cancelled_at, r.finished_at), r.cancelled_by::bigint, e.username
  from vpn.reissue_request r
  join account.account a on a.telegram_id = r.admin_id
  left join account.account e on e.telegram_id = r.cancelled_by
  cross join lateral (
    select count(*) filter (where t.name = 'add') as waiting,
           count(*) filter (where t.name = 'remove') as removing
    from outbox.task t
    where t.kind = 'provision' and t.finished_at is null and t.other_id = r.request_id) w
  cross join lateral (select (r.done + r.skipped + r.failed)::numeric as turns) p
  order by r.request_id desc
  limit 1;
end
$$;

comment on function vpn.show_reissue is
  'For admins only; no row before the first request. status: running, done or cancelled. waiting: '
  'keys that are promised and not at a node yet; removing: old ones that the nodes have still. '
  'seconds_left: at the pace so far; null before the first. Reads only.';

grant execute on function vpn.show_reissue to atlas_admin, atlas_dba;
