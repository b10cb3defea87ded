-- Refuses a claim's arguments that cannot be meant.
-- Locks: none.
-- Raises: 22023.
create or replace function outbox._require_claim(p_holder text, p_limit int, p_lease interval)
returns void
language plpgsql
stable
as $$
begin
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform core._require(p_lease between interval '1 second' and interval '1 hour',
                        'p_lease: 1 second to 1 hour');
end
$$;

comment on function outbox._require_claim is 'Checks p_holder, p_limit and p_lease of a claim.';
