-- Refuses what cannot be the length of a grant.
-- Locks: none.
-- Raises: 22023.
create or replace function subscription._require_duration(p_duration interval)
returns void
language plpgsql
stable
as $$
begin
  -- extract, because comparing intervals takes a month for 30 days.
  perform core._require(
    extract(year from p_duration) = 0 and extract(month from p_duration) = 0
      and extract(epoch from p_duration) between 60 and 3650 * 86400
      and extract(epoch from p_duration) % 60 = 0,
    'p_duration: minutes, hours or days, at least 1 minute and at most 3650 days');
end
$$;

comment on function subscription._require_duration is
  'Whole minutes, hours and days only: months have no fixed length.';
