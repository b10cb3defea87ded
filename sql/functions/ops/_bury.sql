-- Keeps what was given up, once.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._bury(p_job_name text, p_subject text, p_error text)
returns void
language sql
volatile
as $$
  insert into ops.dead as d (job_name, subject, error, died_at)
  values (p_job_name, p_subject, left(p_error, 1000), core.now())
  on conflict on constraint dead_once do update
  set error = excluded.error, died_at = excluded.died_at
$$;

comment on function ops._bury is 'Adds a row to ops.dead_letter, or renews it.';
