create or replace view ops.component_status as
with seen as ( -- what nobody has looked at for a minute is unknown
  select d.component, d.is_critical,
         case when d.reported_at >= core.now() - interval '1 minute' then d.state
              else 'unknown' end as state,
         d.since, d.reported_at, d.reported_by, d.detail
  from ops.dependency d
)
select 'service' as component, true as is_critical,
       case when bool_or(s.is_critical and s.state <> 'up') then min(s.state)
                   filter (where s.is_critical and s.state <> 'up')
            when bool_or(s.state = 'down') then 'degraded' else 'up' end as state,
       max(s.since) as since, max(s.reported_at) as checked_at, null::text as checked_by,
       string_agg(s.component, ', ' order by s.component) filter (where s.state = 'down') as detail
from seen s
union all
select s.component, s.is_critical, s.state, s.since, s.reported_at, s.reported_by, s.detail
from seen s;

comment on view ops.component_status is
  'What the shop depends on, as the job ops.check_health saw it last, and what follows for the '
  'service. How its own parts are, by what they leave in the database, is ops.component.';
comment on column ops.component_status.component is
  'service; database, redis, telegram, vpn, cryptopay.';
comment on column ops.component_status.is_critical is
  'Without it nothing works; without another the service is degraded.';
comment on column ops.component_status.state is
  'up, down, unknown (not configured, or nobody has looked for a minute); service also degraded.';
comment on column ops.component_status.since is 'Of the last change.';
comment on column ops.component_status.checked_at is 'When a worker looked last.';
comment on column ops.component_status.checked_by is 'Which worker.';
comment on column ops.component_status.detail is
  'What was wrong when it was looked at last; service: what is down.';

grant select on ops.component_status to atlas_admin, atlas_worker, atlas_auditor, atlas_dba;
