create or replace view broadcast.progress as
select b.broadcast_id, b.title, b.kind::text as kind, b.segment::text as segment,
       b.text_b is not null as is_ab, b.status::text as status, b.prepared_by, b.prepared_at,
       b.starts_at, b.started_at, b.ended_at,
       t.sent_a + t.sent_b as sent, t.sent_a, t.sent_b, t.unreachable, t.failed,
       (select count(*) from broadcast.recipient r
        where r.broadcast_id = b.broadcast_id and r.outcome = 'unknown') as unknown,
       (select count(*) from broadcast.recipient r
        where r.broadcast_id = b.broadcast_id and r.finished_at is null) as unfinished,
       t.pressed_a, t.pressed_b,
       case when b.status = 'running' and core.now() < t.marked_at + interval '1 minute'
                 and core.now() > t.since_at + interval '1 second'
            then (t.sent_a + t.sent_b + t.unreachable + t.failed - t.since_people)
                 / extract(epoch from core.now() - t.since_at) end::float8 as people_per_second
from broadcast.broadcast b
join broadcast.tally t on t.broadcast_id = b.broadcast_id;

comment on view broadcast.progress is
  'How far each broadcast is, from its tally: it costs the same however many people it has '
  'reached. Unknown ones of more than retention_days ago are not counted any more.';
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
comment on column broadcast.progress.pressed_a is
  'People with the first text who pressed its button.';
comment on column broadcast.progress.pressed_b is
  'People with the second text who pressed its button.';
comment on column broadcast.progress.people_per_second is
  'How many had their turn a second, in the last ten to twenty seconds; null when nothing is sent.';

grant select on broadcast.progress to atlas_admin, atlas_worker, atlas_auditor, atlas_dba;
