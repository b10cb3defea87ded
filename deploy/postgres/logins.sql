-- Login roles, one per process. Safe to run again; passwords are set by whoever runs the server:
--   alter role atlas_bot_login password '…';
do $$
declare
  v_login text;
begin
  foreach v_login in array array['atlas_migrator_login', 'atlas_bot_login', 'atlas_worker_login',
                                 'atlas_auditor_login', 'atlas_dba_login']
  loop
    begin
      execute format('create role %I login', v_login);
    exception
      when duplicate_object or unique_violation then null; -- it exists, or a second runner was first
    end;
  end loop;
end
$$;

grant atlas_owner to atlas_migrator_login;
grant atlas_bot, atlas_admin, atlas_payments to atlas_bot_login;
grant atlas_worker, atlas_payments to atlas_worker_login;
grant atlas_auditor to atlas_auditor_login;
grant atlas_dba to atlas_dba_login;

-- Settings of a group role do not reach its members, so every login has its own, and every login has all three timeouts:
-- a lock that does not come, a statement that does not end, a transaction that somebody forgot (it holds its locks, and
-- holds up audit.seal).
alter role atlas_migrator_login set lock_timeout = '5s';
alter role atlas_migrator_login set statement_timeout = '30min';
alter role atlas_migrator_login set idle_in_transaction_session_timeout = '1min';
alter role atlas_bot_login set lock_timeout = '5s';
alter role atlas_bot_login set statement_timeout = '15s';
alter role atlas_bot_login set idle_in_transaction_session_timeout = '10s';
alter role atlas_worker_login set lock_timeout = '5s';
alter role atlas_worker_login set statement_timeout = '60s';
alter role atlas_worker_login set idle_in_transaction_session_timeout = '10s';
alter role atlas_auditor_login set default_transaction_read_only = on;
alter role atlas_auditor_login set lock_timeout = '5s';
alter role atlas_auditor_login set statement_timeout = '10min';
alter role atlas_auditor_login set idle_in_transaction_session_timeout = '5min';
alter role atlas_dba_login set lock_timeout = '5s';
alter role atlas_dba_login set statement_timeout = '30min';
alter role atlas_dba_login set idle_in_transaction_session_timeout = '5min';
