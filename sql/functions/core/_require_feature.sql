-- Refuses while a switch is off.
-- Locks: none.
-- Raises: OP003.
create or replace function core._require_feature(p_feature text)
returns void
language plpgsql
stable
as $$
begin
  if exists (select 1 from ops.feature f where f.name = p_feature and not f.is_on) then
    perform core._refuse('OP003', p_feature);
  end if;
end
$$;

comment on function core._require_feature is 'Refuses while the switch in ops.feature is off.';
