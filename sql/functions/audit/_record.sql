-- Writes one audit entry.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._record(
  p_action text, p_actor_id bigint, p_subject_id text, p_details jsonb default '{}')
returns void
language plpgsql
volatile
as $$
begin
  insert into audit.entry (occurred_at, actor_id, action, subject_id, details)
  values (core.now(), p_actor_id, p_action, p_subject_id, p_details);
end
$$;

comment on function audit._record is 'Writes one audit entry in the caller''s transaction.';
