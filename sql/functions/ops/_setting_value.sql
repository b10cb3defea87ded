-- One number of the business.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._setting_value(p_name text)
returns bigint
language plpgsql
stable
as $$
declare
  v_value bigint;
begin
  select s.value into strict v_value from ops.setting s where s.name = p_name;
  return v_value;
end
$$;

comment on function ops._setting_value is 'The value of a setting in ops.setting.';
