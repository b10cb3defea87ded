create or replace view ops.component as
with clock as (
  select core.now() as moment
), lane as ( -- a queue: how much is due, and since when
  select case t.kind when 'provision' then 'provisioning' when 'message' then 'messages'
                     else 'cashback' end as name,
         count(*) as waiting, min(t.due_at) as oldest_due_at
  from outbox.task t cross join clock c
  where t.finished_at is null and t.due_at <= c.moment
  group by t.kind
  union all
  select 'inbox', count(*), min(u.due_at)
  from inbox.update u cross join clock c
  where u.finished_at is null and u.due_at <= c.moment
  union all
  select 'open purchases', count(*), min(u.expiry_check_at)
  from billing.purchase u cross join clock c
  where u.expiry_check_at <= c.moment
  union all
  select 'expiry', count(*), min(s.expiry_check_at)
  from subscription.subscription s cross join clock c
  where s.expiry_check_at <= c.moment
  union all
  select 'renewals', count(*), min(s.renew_check_at)
  from subscription.subscription s cross join clock c
  where s.renew_check_at <= c.moment
  union all
  select 'reminders', count(*), min(s.reminder_check_at)
  from subscription.subscription s cross join clock c
  where s.reminder_check_at <= c.moment
)
select 'bot' as name,
       case when l.expires_at > c.moment then 'up' when l.name is null then 'unknown'
            else 'down' end as status,
       case when l.expires_at > '-infinity' then l.expires_at end as since,
       case when l.expires_at > c.moment then l.holder || ' polls Telegram'
            else 'nobody polls Telegram; with a webhook nobody has to' end as detail
from clock c left join ops.lease l on l.name = 'telegram.poll'
union all
select 'worker',
       case when max(j.last_finished_at) is null then 'unknown'
            when max(j.last_finished_at) < c.moment - interval '1 minute' then 'down'
            when bool_or(j.is_enabled and j.consecutive_failures > 0) then 'failing'
            else 'up' end,
       max(j.last_finished_at),
       string_agg(j.name || ': ' || j.last_error, '; ' order by j.name)
         filter (where j.is_enabled and j.consecutive_failures > 0)
from clock c cross join ops.scheduled_job j
group by c.moment
union all
select case j.name when 'vpn.sync_nodes' then 'vpn node' else 'cryptobot' end,
       case when j.last_finished_at is null then 'unknown'
            when j.consecutive_failures > 0 or j.last_finished_at < c.moment - interval '1 minute'
              then 'down'
            else 'up' end,
       j.last_finished_at, j.last_error
from clock c cross join ops.scheduled_job j
where j.name in ('vpn.sync_nodes', 'pay.poll_cryptobot')
union all
select n.name,
       case when coalesce(l.oldest_due_at, c.moment) < c.moment - interval '1 minute'
            then 'behind' else 'up' end,
       l.oldest_due_at, coalesce(l.waiting, 0) || ' waiting'
from clock c
cross join (values ('inbox'), ('provisioning'), ('messages'), ('cashback'), ('open purchases'),
                   ('expiry'), ('renewals'), ('reminders')) n (name)
left join lane l on l.name = n.name
union all
select 'seal', case when u.oldest_at < c.moment - interval '2 minutes' then 'behind' else 'up' end,
       b.sealed_at, coalesce(b.sealed_rows, 0) || ' rows sealed'
from clock c
left join (select s.to_xid, s.sealed_rows, s.sealed_at from audit.batch s
           order by s.batch_id desc limit 1) b on true
cross join lateral (
  select least((select min(t.created_at) from ledger.transfer t
                where t.recorded_xid >= coalesce(b.to_xid, 0)),
               (select min(e.occurred_at) from audit.entry e
                where e.recorded_xid >= coalesce(b.to_xid, 0))) as oldest_at
) u;

comment on view ops.component is
  'How each part is, judged by what it leaves in the database. No sign of life for a '
  'minute is down.';
comment on column ops.component.name is
  'bot, worker, vpn node, cryptobot; the queues inbox, provisioning, messages, cashback, open '
  'purchases, expiry, renewals, reminders; seal.';
comment on column ops.component.status is
  'up, down, failing (some jobs), behind (queues: a minute, so also users whom every run finds '
  'locked; seal: two), unknown (never seen).';
comment on column ops.component.since is
  'bot: the end of its lease; queues: the oldest due; seal: the last batch; else the last run.';
comment on column ops.component.detail is 'Who, how much, or what went wrong.';

grant select on ops.component to atlas_admin, atlas_worker, atlas_auditor, atlas_dba;
