-- Whether all numbers of a code between two are taken.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._is_full(p_promo_id bigint, p_from bigint, p_to bigint)
returns boolean
language plpgsql
stable
as $$
declare
  v_uses bigint;
begin
  select count(*) into v_uses
  from promo.use u
  where u.promo_id = p_promo_id and u.use_no between p_from and p_to;
  return v_uses = p_to - p_from + 1;
end
$$;

comment on function promo._is_full is 'Counts in the primary key; both numbers are included.';
