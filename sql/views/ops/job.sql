create or replace view ops.job as
select j.name, j.schedule, j.is_enabled, j.is_exclusive, j.batch_size, j.timeout_seconds,
       j.next_run_at, j.last_started_at, j.last_finished_at, j.last_items, j.last_error,
       j.consecutive_failures, j.description
from ops.scheduled_job j;

comment on view ops.job is
  'The worker''s schedule and how each job''s last run went. ops.set_job changes it.';
comment on column ops.job.name is 'The job.';
comment on column ops.job.schedule is 'A cron expression (UTC), or "N seconds".';
comment on column ops.job.is_enabled is 'False: no worker runs it.';
comment on column ops.job.is_exclusive is
  'True: one worker at a time, under a lease of the job''s name.';
comment on column ops.job.batch_size is 'Rows a call.';
comment on column ops.job.timeout_seconds is 'How long a run may take.';
comment on column ops.job.next_run_at is 'Exclusive jobs: not before; null for at once.';
comment on column ops.job.last_started_at is 'The last run''s start.';
comment on column ops.job.last_finished_at is 'The last run''s end.';
comment on column ops.job.last_items is 'What the last run worked off.';
comment on column ops.job.last_error is 'The last run''s failure; null when it went well.';
comment on column ops.job.consecutive_failures is 'Failures since the last run that went well.';
comment on column ops.job.description is 'What it does.';

grant select on ops.job to atlas_worker, atlas_auditor, atlas_dba;
