-- Has something that was given up tried again, from its first attempt.
-- Locks: account.admin row (share), the ops.dead row, the inbox.update row,
-- the ops.export row.
-- Raises: US003, 22023, OP001, OP003.
create or replace function ops.retry_dead_letter(p_admin_id bigint, p_dead_id bigint)
returns table (dead_id bigint, is_retried boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_dead record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_dead_id >= 1, 'p_dead_id: of a row in ops.dead_letter');
  perform account._require_admin(p_admin_id);
  retry_dead_letter.is_retried := false;

  select d.job_name, d.subject into v_dead
  from ops.dead d
  where d.dead_id = p_dead_id
  for update;
  if found and ops._revive(v_dead.job_name, v_dead.subject) then
    delete from ops.dead d where d.dead_id = p_dead_id;
    perform audit._record('ops.retry_dead_letter', p_admin_id, v_dead.job_name,
                          jsonb_build_object('subject', v_dead.subject));
    retry_dead_letter.is_retried := true;
  end if;

  return query select p_dead_id, retry_dead_letter.is_retried;
end
$$;

comment on function ops.retry_dead_letter is
  'An update is handled again, a message queued again, an export goes on after its last part, and '
  'a *_due job looks at its subject again at once. is_retried is false, and nothing changed, where '
  'the row is not there any more or what it is about has been purged or has ended otherwise. What '
  'is still wrong comes back. Safe to call again.';

grant execute on function ops.retry_dead_letter to atlas_admin, atlas_dba;
