-- Takes a row out of ops.dead_letter once an admin has looked at it.
-- Locks: account.admin row (share), the ops.dead row.
-- Raises: US003, 22023, OP001, OP003.
create or replace function ops.drop_dead_letter(p_admin_id bigint, p_dead_id bigint, p_note text)
returns table (dead_id bigint, is_dropped boolean)
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
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);

  delete from ops.dead d
  where d.dead_id = p_dead_id
  returning d.job_name, d.subject, d.error into v_dead;
  drop_dead_letter.is_dropped := found;
  if drop_dead_letter.is_dropped then
    perform audit._record('ops.drop_dead_letter', p_admin_id, v_dead.job_name, jsonb_build_object(
      'subject', v_dead.subject, 'error', v_dead.error, 'note', p_note));
  end if;

  return query select p_dead_id, drop_dead_letter.is_dropped;
end
$$;

comment on function ops.drop_dead_letter is
  'What ops.clear_dead_letter does for DBAs, for admins and audited as theirs. is_dropped is false '
  'if the row is not there. Safe to call again.';

grant execute on function ops.drop_dead_letter to atlas_admin, atlas_dba;
