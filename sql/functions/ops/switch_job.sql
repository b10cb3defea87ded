-- Lets workers run a job, or not.
-- Locks: account.admin row (share), ops.scheduled_job row.
-- Raises: US003, 22023, OP001, OP003.
create or replace function ops.switch_job(p_admin_id bigint, p_name text, p_is_enabled boolean)
returns table (name text, is_enabled boolean, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_was_enabled boolean;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_is_enabled is not null, 'p_is_enabled: true or false');
  perform account._require_admin(p_admin_id);

  select j.is_enabled into v_was_enabled
  from ops.scheduled_job j
  where j.name = p_name
  for no key update;
  perform core._require(found, 'p_name: a name in ops.job');
  if v_was_enabled <> p_is_enabled then
    update ops.scheduled_job j set is_enabled = p_is_enabled where j.name = p_name;
    perform audit._record('ops.switch_job', p_admin_id, p_name,
                          jsonb_build_object('is_enabled', p_is_enabled));
  end if;

  return query select p_name, p_is_enabled, v_was_enabled = p_is_enabled;
end
$$;

comment on function ops.switch_job is
  'What ops.set_job does for DBAs, for admins and audited as theirs. Workers follow within a '
  'second; a run in hand ends as it would have. What is so already is a replay.';

grant execute on function ops.switch_job to atlas_admin, atlas_dba;
