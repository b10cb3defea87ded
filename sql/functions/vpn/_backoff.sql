-- How long a failed provisioning job waits: 10 s, 30 s, 90 s … at most 10 minutes.
-- Locks: none.
-- Raises: nothing.
create or replace function vpn._backoff(p_attempt int)
returns interval
language sql
immutable
as $$
  select make_interval(secs => least(10 * 3 ^ least(greatest(p_attempt, 1) - 1, 10), 600))
$$;

comment on function vpn._backoff is 'Wait after the given number of attempts.';
