-- Changes a number of the business.
-- Locks: ops.setting row.
-- Raises: 22023, OP001.
create or replace function ops.set_setting(p_name text, p_value bigint)
returns table (name text, value bigint)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_old record;
begin
  perform core._guard();

  select s.value, s.minimum, s.maximum into v_old
  from ops.setting s where s.name = p_name
  for no key update;
  perform core._require(found, 'p_name: a name in ops.setting');
  perform core._require(p_value between v_old.minimum and v_old.maximum,
                        format('p_value: %s to %s', v_old.minimum, v_old.maximum));

  update ops.setting s set value = p_value where s.name = p_name;
  perform audit._record('ops.set_setting', null, p_name, jsonb_build_object(
    'from', v_old.value, 'to', p_value, 'by', session_user));

  return query select p_name, p_value;
end
$$;

comment on function ops.set_setting is
  'In force from the next call on. The old and the new value are audited.';

grant execute on function ops.set_setting to atlas_dba;
