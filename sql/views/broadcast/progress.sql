create or replace view broadcast.progress as
select b.broadcast_id, b.title, b.kind::text as kind, b.segment::text as segment,
       b.text_b is not null as is_ab, b.status::text as status, b.prepared_by, b.prepared_at,
       b.starts_at, b.started_at, b.ended_at,
       c.sent, c.sent_a, c.sent_b, c.unreachable, c.failed, c.unknown, c.unfinished
from broadcast.broadcast b
cross join lateral (
  select coalesce(sum(n.people) filter (where n.outcome = 'sent'), 0)::bigint as sent,
         coalesce(sum(n.people) filter (where n.outcome = 'sent' and n.variant = 'a'), 0)::bigint
           as sent_a,
         coalesce(sum(n.people) filter (where n.outcome = 'sent' and n.variant = 'b'), 0)::bigint
           as sent_b,
         coalesce(sum(n.people) filter (where n.outcome = 'unreachable'), 0)::bigint
           as unreachable,
         coalesce(sum(n.people) filter (where n.outcome = 'failed'), 0)::bigint as failed,
         coalesce(sum(n.people) filter (where n.outcome = 'unknown'), 0)::bigint as unknown,
         coalesce(sum(n.people) filter (where n.outcome in ('sending', 'waiting')), 0)::bigint
           as unfinished
  from (
    select r.outcome, r.variant, count(*) as people
    from broadcast.recipient r
    where r.broadcast_id = b.broadcast_id
    group by r.outcome, r.variant) n) c;

comment on view broadcast.progress is
  'How far each broadcast is. Who had their turn more than retention_days ago is not counted any '
  'more.';
comment on column broadcast.progress.broadcast_id is 'The broadcast.';
comment on column broadcast.progress.title is 'For the admins.';
comment on column broadcast.progress.kind is 'info, maintenance, security or promo.';
comment on column broadcast.progress.segment is 'Whom it is for.';
comment on column broadcast.progress.is_ab is 'Whether two texts run against each other.';
comment on column broadcast.progress.status is 'draft, running, paused, done or cancelled.';
comment on column broadcast.progress.prepared_by is 'The admin who wrote it.';
comment on column broadcast.progress.prepared_at is 'When it was written.';
comment on column broadcast.progress.starts_at is 'Not before; null for at once.';
comment on column broadcast.progress.started_at is 'When it was first started.';
comment on column broadcast.progress.ended_at is 'When it was over.';
comment on column broadcast.progress.sent is 'People it has reached.';
comment on column broadcast.progress.sent_a is 'Of them, with the first text.';
comment on column broadcast.progress.sent_b is 'Of them, with the second text.';
comment on column broadcast.progress.unreachable is 'People who have blocked the bot.';
comment on column broadcast.progress.failed is 'People whom Telegram refused it for, every time.';
comment on column broadcast.progress.unknown is
  'People whom it may have reached: a worker died, or Telegram did not answer.';
comment on column broadcast.progress.unfinished is
  'People who are being written to, or wait for another attempt.';

grant select on broadcast.progress to atlas_admin, atlas_worker, atlas_auditor, atlas_dba;
