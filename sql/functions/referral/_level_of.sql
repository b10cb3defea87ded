-- The level of a referrer, and the cashback that it brings.
-- Locks: none.
-- Raises: nothing.
create or replace function referral._level_of(
  p_paying_count int, out level text, out percent int)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
  select l.level, l.percent into strict _level_of.level, _level_of.percent
  from referral.level l
  where l.from_paying <= p_paying_count
  order by l.from_paying desc
  limit 1;
end
$$;

comment on function referral._level_of is
  'The one rule of levels: what is shown and what is paid both come from here.';
