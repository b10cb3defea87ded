-- When an event of audit.list happened; null for what is none.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._event_at(p_event_id text)
returns timestamptz
language plpgsql
stable
as $$
begin
  if p_event_id ~ '^e[0-9]{1,18}$' then
    return (select e.occurred_at from audit.entry e
            where e.entry_id = substr(p_event_id, 2)::bigint);
  elsif p_event_id ~ '^t[0-9]{1,16}\.[0-9]{1,18}$' then
    return (select t.created_at from ledger.transfer t
            where t.telegram_id = split_part(substr(p_event_id, 2), '.', 1)::bigint
              and t.version = split_part(p_event_id, '.', 2)::bigint);
  end if;
  return null;
end
$$;

comment on function audit._event_at is
  'An event_id is e and the number of the entry, or t, the user and the version of a transfer.';
