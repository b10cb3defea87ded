create or replace view ops.dead_letter as
select d.dead_id, d.job_name, d.subject, d.error, d.died_at
from ops.dead d;

comment on view ops.dead_letter is
  'What a job or a handler gave up; somebody has to look at each row, and then takes it out with '
  'ops.clear_dead_letter. A *_due job tries again after an hour.';
comment on column ops.dead_letter.dead_id is 'The row''s number.';
comment on column ops.dead_letter.job_name is 'Who gave up.';
comment on column ops.dead_letter.subject is 'On what.';
comment on column ops.dead_letter.error is 'Why.';
comment on column ops.dead_letter.died_at is 'When, last.';

grant select on ops.dead_letter to atlas_worker, atlas_auditor, atlas_dba;
