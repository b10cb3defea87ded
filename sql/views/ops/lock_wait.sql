create or replace view ops.lock_wait as
select l.pid, l.user_name, l.application_name, l.waited, l.lock_mode, l.waits_for, l.query,
       l.blocking_pid, l.blocking_user_name, l.blocking_application_name, l.blocking_state,
       l.blocking_state_lasts, l.blocking_transaction_lasts, l.blocking_query
from ops.lock_waits() l;

comment on view ops.lock_wait is
  'Who waits for whom: one row per waiting session and session in its way, longest wait first.';
comment on column ops.lock_wait.pid is 'The waiting session.';
comment on column ops.lock_wait.user_name is 'Its login.';
comment on column ops.lock_wait.application_name is 'Its application_name.';
comment on column ops.lock_wait.waited is 'For how long.';
comment on column ops.lock_wait.lock_mode is 'The lock it asks for.';
comment on column ops.lock_wait.waits_for is 'On what: a user, a row, a table, a transaction.';
comment on column ops.lock_wait.query is 'Its query: 200 characters, without the texts in it.';
comment on column ops.lock_wait.blocking_pid is
  'The session in its way; null: a prepared transaction.';
comment on column ops.lock_wait.blocking_user_name is 'Its login.';
comment on column ops.lock_wait.blocking_application_name is 'Its application_name.';
comment on column ops.lock_wait.blocking_state is
  'active, or "idle in transaction": somebody forgot to commit.';
comment on column ops.lock_wait.blocking_state_lasts is 'Since when it is in that state.';
comment on column ops.lock_wait.blocking_transaction_lasts is 'How long its transaction is open.';
comment on column ops.lock_wait.blocking_query is 'Its query now, or its last one.';

grant select on ops.lock_wait to atlas_worker, atlas_auditor, atlas_dba;
