-- The form in which a promo code is kept and compared; null for a text that cannot be one.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._canonical(p_text text)
returns text
language plpgsql
immutable
as $$
declare
  v_code text;
begin
  if length(p_text) > 256 then
    return null;
  end if;

  v_code := upper(btrim(normalize(p_text, nfkc), e' \t\n\x0b\f\r') collate "C");
  if v_code ~ '^[A-Z0-9]{3,32}$' then
    return v_code;
  end if;
  return null;
end
$$;

comment on function promo._canonical is
  'NFKC (so that full-width letters are letters and blanks are blanks), trimmed, and only a to z '
  'in upper case: a dotless i stays one, and is refused.';
