-- About how many people a broadcast is for.
-- Locks: none.
-- Raises: nothing.
create or replace function broadcast._expected(
  p_status broadcast.status, p_segment broadcast.segment, p_expected_people bigint,
  p_now timestamptz)
returns table (people bigint, is_estimate boolean)
language plpgsql
stable
as $$
begin
  if p_status = 'draft' then
    return query select s.people, s.is_estimate from broadcast._size(p_segment, p_now) s;
  else
    return query select p_expected_people, true;
  end if;
end
$$;

comment on function broadcast._expected is
  'A draft''s segment is looked at again; for all others it is what it was when they began, while '
  'people come and go.';
