-- Refuses what cannot be an idempotency key.
-- Locks: none.
-- Raises: 22023.
create or replace function core._require_key(p_idempotency_key text)
returns void
language plpgsql
stable
as $$
begin
  if (length(p_idempotency_key) between 1 and 128) is not true then
    perform core._refuse('22023', 'p_idempotency_key: 1 to 128 characters');
  end if;
end
$$;

comment on function core._require_key is 'Refuses what cannot be an idempotency key.';
