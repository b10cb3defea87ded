-- The sum of a figure over some days.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._figure(p_name text, p_from date, p_to date)
returns bigint
language plpgsql
stable
as $$
begin
  return (
    select coalesce(sum(f.value), 0)::bigint
    from ops.day_figure f
    where f.name = p_name and f.day between coalesce(p_from, '-infinity') and p_to);
end
$$;

comment on function ops._figure is 'From p_from (null: ever) to p_to, both days counted.';
