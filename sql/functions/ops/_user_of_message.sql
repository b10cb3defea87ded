-- Whose message a dead letter is about; null if it is gone.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._user_of_message(p_subject text)
returns bigint
language sql
stable
as $$
  select t.telegram_id::bigint
  from outbox.task t
  where t.task_id = substring(p_subject from '^message:([0-9]{1,18})$')::bigint
    and t.lease_token is not null
$$;

comment on function ops._user_of_message is
  'What was given up was claimed before, so it has a token.';
