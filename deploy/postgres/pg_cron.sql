-- Runs the jobs that are pure SQL inside the server, by pg_cron, with no worker or beside one. Safe to run again.
--
-- Needs the extension (Debian: postgresql-15-cron) and in postgresql.conf, before a restart:
--   shared_preload_libraries = 'pg_cron'
--   cron.database_name = 'postgres'          -- where the schedule is; pg_cron holds a connection to it
--   cron.use_background_workers = on         -- unless the server lets local connections in without a password
--
-- Run by a superuser in the database named there, with the name of the bot's database:
--   psql -d postgres -v database=atlas -f deploy/postgres/pg_cron.sql
--
-- To take all of it away again:
--   select cron.unschedule(jobid) from cron.job where jobname like 'atlas.%';
--   drop role atlas_cron;
--
-- pg_cron 1.4 has minutes, so renewals, expiry and cashback come up to a minute late while no worker runs. A worker and
-- pg_cron at once do no harm: with p_epoch null a job takes the lock that the worker's run takes, and waits for its turn.
\set ON_ERROR_STOP on
\if :{?database}
\else
  \set database atlas
\endif

create extension if not exists pg_cron;

-- Who the jobs run as: what a worker may do, and no password, so that nobody logs in as it over a network.
do $$
begin
  if not exists (select from pg_roles r where r.rolname = 'atlas_cron') then
    create role atlas_cron login;
  end if;
end
$$;
comment on role atlas_cron is 'pg_cron runs the due jobs as this role.';
grant atlas_worker to atlas_cron;
alter role atlas_cron set lock_timeout = '5s';
alter role atlas_cron set statement_timeout = '50s'; -- a run ends before the next begins
alter role atlas_cron set idle_in_transaction_session_timeout = '10s';

begin;
-- Two runs of this script at once would schedule everything twice.
lock table cron.job in share row exclusive mode;

select cron.unschedule(j.jobid) as unscheduled
from cron.job j
where j.jobname like 'atlas.%' and j.database = :'database';

select cron.schedule_in_database(format('atlas.%s.%s', :'database', w.job), w.schedule, w.command,
                                 :'database', 'atlas_cron') as scheduled
from (values
  ('billing.expire_due', '* * * * *', 'select * from billing.expire_due(p_epoch => null, p_limit => 500)'),
  ('subscription.expire_due', '* * * * *', 'select * from subscription.expire_due(p_epoch => null, p_limit => 1000)'),
  ('vpn.reissue_due', '* * * * *', 'select * from vpn.reissue_due(p_epoch => null, p_limit => 500)'),
  ('subscription.renew_due', '* * * * *', 'select * from subscription.renew_due(p_epoch => null, p_limit => 1000)'),
  ('referral.pay_due', '* * * * *', 'select * from referral.pay_due(p_epoch => null, p_limit => 1000)'),
  ('notify.enqueue_due', '* * * * *', 'select * from notify.enqueue_due(p_epoch => null, p_limit => 1000)'),
  ('withdrawal.purge_due', '41 3 * * *', 'select * from withdrawal.purge_due(p_epoch => null, p_limit => 1000)'),
  ('audit.seal', '* * * * *', 'select * from audit.seal(p_limit => 5000)'),
  ('ops.figures_due', '*/5 * * * *', 'select * from ops.figures_due(p_epoch => null, p_limit => 3)'),
  ('ops.purge_due', '17 3 * * *', 'select * from ops.purge_due(p_epoch => null, p_limit => 5000)')
) w (job, schedule, command)
order by w.job;
commit;

select j.jobname, j.schedule, j.username, j.active from cron.job j
where j.jobname like 'atlas.%' and j.database = :'database'
order by j.jobname;
