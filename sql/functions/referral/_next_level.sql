-- The level after the one that a referrer has.
-- Locks: none.
-- Raises: nothing.
create or replace function referral._next_level(
  p_paying_count int, out level text, out from_paying int, out percent int)
language sql
stable
as $$
  select l.level, l.from_paying, l.percent::int
  from referral.level l
  where l.from_paying > p_paying_count
  order by l.from_paying
  limit 1
$$;

comment on function referral._next_level is 'Nulls for who has the highest.';
