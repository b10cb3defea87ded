-- Finds a free number of a limited code from a place on, else before it; null for none.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._next_free(p_promo_id bigint, p_from bigint, p_to bigint)
returns bigint
language plpgsql
stable
as $$
declare
  v_from bigint := p_from;
  v_to bigint := p_to;
  v_middle bigint;
begin
  if promo._is_full(p_promo_id, p_from, p_to) then
    if p_from = 1 then
      return null;
    end if;
    return promo._next_free(p_promo_id, 1, p_from - 1);
  end if;

  while v_from < v_to loop
    v_middle := (v_from + v_to) / 2;
    if promo._is_full(p_promo_id, v_from, v_middle) then
      v_from := v_middle + 1;
    else
      v_to := v_middle;
    end if;
  end loop;
  return v_from;
end
$$;

comment on function promo._next_free is
  'The first free number between p_from and p_to, else between 1 and p_from, by halves: the whole '
  'search counts each use twice at most. A number that another transaction is just taking still '
  'looks free.';
