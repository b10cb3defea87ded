-- Refuses an argument unless the condition about it is true; null is not true.
-- Locks: none.
-- Raises: 22023.
create or replace function core._require(p_is_met boolean, p_rule text)
returns void
language plpgsql
stable
as $$
begin
  if p_is_met is not true then
    perform core._refuse('22023', p_rule);
  end if;
end
$$;

comment on function core._require is
  'Refuses a bad argument; the rule that it broke goes to DETAIL.';
