-- How it is about keys: for the admins' screen.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function vpn.overview(p_admin_id bigint)
returns table (
  people bigint, is_estimate boolean, waiting bigint, failed bigint, reissue_seconds bigint)
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
  select p.people, p.is_estimate,
         (select count(*) from outbox.task t
          where t.kind = 'provision' and t.name = 'add' and t.finished_at is null),
         (select count(distinct t.telegram_id)
          from outbox.task t
          join subscription.subscription s
            on s.telegram_id = t.telegram_id and s.vpn_uuid = t.vpn_uuid
          where t.kind = 'provision' and t.name = 'add' and t.last_error is not null
            and t.outcome = 'failed' and s.activation = 'failed' and s.expires_at > v_now),
         p.people * 2 / ops._setting_value('reissue_tasks_at_once')
  from vpn._people(v_now) p;
end
$$;

comment on function vpn.overview is
  'For admins only. people: with a subscription in force, who would all be given a new key; '
  'waiting: keys that are promised and not delivered; failed: given up, and nothing else has '
  'brought one. reissue_seconds: how long a new key for everybody takes at least. Reads only.';

grant execute on function vpn.overview to atlas_admin, atlas_dba;
