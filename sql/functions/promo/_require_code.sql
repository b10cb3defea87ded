-- Gives a promo code its canonical form, or refuses it before anything is looked up.
-- Locks: none.
-- Raises: PR006.
create or replace function promo._require_code(p_code text)
returns text
language plpgsql
stable
as $$
declare
  v_code text := promo._canonical(p_code);
begin
  if p_code is not null and v_code is null then
    perform core._refuse('PR006', format('a text of %s characters', length(p_code)));
  end if;
  return v_code;
end
$$;

comment on function promo._require_code is
  'Null stays null. What was typed is not repeated in the refusal.';
