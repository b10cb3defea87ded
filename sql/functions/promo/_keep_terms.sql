-- Keeps the terms of all codes as they are until the transaction ends.
-- Locks: promo.use (row exclusive).
-- Raises: nothing.
create or replace function promo._keep_terms()
returns void
language plpgsql
volatile
as $$
begin
  lock table promo.use in row exclusive mode;
end
$$;

comment on function promo._keep_terms is
  'Before a code''s terms are read for a reservation. Buyers do not exclude each other; '
  'promo.set_limit and promo.disable wait for them, and they for those.';
