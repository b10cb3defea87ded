create or replace view ops.job_run as
select r.run_id, r.job_name, r.holder, r.epoch, r.started_at, r.finished_at, r.items, r.error
from ops.scheduled_job_run r;

comment on view ops.job_run is 'Runs that did something or failed, 30 days back.';
comment on column ops.job_run.run_id is 'The run''s number.';
comment on column ops.job_run.job_name is 'The job.';
comment on column ops.job_run.holder is 'The worker.';
comment on column ops.job_run.epoch is 'Its leadership; null for a parallel job.';
comment on column ops.job_run.started_at is 'Start.';
comment on column ops.job_run.finished_at is 'End.';
comment on column ops.job_run.items is 'What it worked off.';
comment on column ops.job_run.error is 'Why it failed; null when it went well.';

grant select on ops.job_run to atlas_worker, atlas_auditor, atlas_dba;
