-- What waits for an admin now.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.dashboard(p_admin_id bigint)
returns table (
  pending_withdrawals bigint, suspended_payments bigint, waiting_keys bigint, dead_letters bigint,
  running_broadcasts bigint, service_state text, features_off text[])
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select (select count(*) from withdrawal.withdrawal w where w.status = 'pending'),
         (select count(*) from billing.payment p where p.outcome = 'suspense'),
         (select count(*) from outbox.task t
          where t.kind = 'provision' and t.name = 'add' and t.finished_at is null),
         (select count(*) from ops.dead d),
         (select count(*) from broadcast.broadcast b where b.status = 'running'),
         (select s.state from ops.component_status s where s.component = 'service'),
         (select coalesce(array_agg(f.name order by f.name), '{}')
          from ops.feature f where not f.is_on);
end
$$;

comment on function ops.dashboard is
  'For admins only: how much waits for them, how the service is, which features are switched off. '
  'waiting_keys counts keys that are promised and not delivered yet. Reads only.';

grant execute on function ops.dashboard to atlas_admin, atlas_dba;
