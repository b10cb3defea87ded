-- Finds the first free number of a limited code at or after a place, then before it; null for none.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._next_free(p_promo_id bigint, p_from bigint, p_to bigint)
returns bigint
language plpgsql
stable
as $$
declare
  v_free bigint;
begin
  if not exists (
    select 1 from promo.use u where u.promo_id = p_promo_id and u.use_no = p_from) then
    return p_from;
  end if;

  select u.use_no + 1 into v_free
  from promo.use u
  where u.promo_id = p_promo_id and u.use_no >= p_from and u.use_no < p_to
    and not exists (
      select 1 from promo.use n where n.promo_id = p_promo_id and n.use_no = u.use_no + 1)
  order by u.use_no
  limit 1;
  if not found and p_from > 1 then
    v_free := promo._next_free(p_promo_id, 1, p_from - 1);
  end if;
  return v_free;
end
$$;

comment on function promo._next_free is
  'A free number between p_from and p_to, else between 1 and p_from. Walks the primary key; a '
  'number that another transaction is just taking still looks free.';
