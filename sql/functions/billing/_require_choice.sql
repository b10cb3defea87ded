-- Refuses a tariff or period that cannot be meant.
-- Locks: none.
-- Raises: 22023.
create or replace function billing._require_choice(p_tariff text, p_months int)
returns void
language plpgsql
stable
as $$
begin
  perform core._require(length(p_tariff) between 1 and 32, 'p_tariff: 1 to 32 characters');
  perform core._require(p_months between 1 and 36, 'p_months: 1 to 36');
end
$$;

comment on function billing._require_choice is 'Checks what quote and open_purchase are asked for.';
