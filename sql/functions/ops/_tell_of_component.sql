-- Records that a component went down or came back, and tells the admins.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._tell_of_component(
  p_component text, p_was text, p_is text, p_down_since timestamptz, p_detail text)
returns void
language plpgsql
volatile
as $$
begin
  if p_was = 'unknown' and p_is = 'up' then
    return; -- seen for the first time
  end if;
  perform audit._record('component.' || p_is, null, p_component,
    jsonb_strip_nulls(jsonb_build_object('down_since', p_down_since, 'detail', p_detail)));
  perform ops._tell_admins('component_' || p_is, jsonb_strip_nulls(jsonb_build_object(
    'component', p_component, 'since', p_down_since, 'detail', p_detail)));
end
$$;

comment on function ops._tell_of_component is
  'component_down and component_up carry since when it is, or was, down.';
