-- Takes a row out of ops.dead_letter once somebody has looked at it.
-- Locks: the ops.dead row.
-- Raises: 22023, OP001.
create or replace function ops.clear_dead_letter(p_dead_id bigint, p_note text)
returns table (dead_id bigint, is_cleared boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_dead record;
begin
  perform core._guard();
  perform core._require(p_dead_id >= 1, 'p_dead_id: of a row in ops.dead_letter');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');

  delete from ops.dead d
  where d.dead_id = p_dead_id
  returning d.job_name, d.subject, d.error into v_dead;
  clear_dead_letter.is_cleared := found;
  if clear_dead_letter.is_cleared then
    perform audit._record('ops.clear_dead_letter', null, v_dead.job_name, jsonb_build_object(
      'subject', v_dead.subject, 'error', v_dead.error, 'note', p_note, 'by', session_user));
  end if;

  return query select p_dead_id, clear_dead_letter.is_cleared;
end
$$;

comment on function ops.clear_dead_letter is
  'For the cause that was mended: ops.reconcile() names the row no more, and a *_due job looks at '
  'its subject again at once instead of within the hour. What is still wrong comes back. '
  'is_cleared is false if the row is not there. Safe to call again.';
grant execute on function ops.clear_dead_letter to atlas_dba;
