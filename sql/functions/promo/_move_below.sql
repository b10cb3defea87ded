-- Renumbers the uses above a new limit to free numbers within it.
-- Locks: the uses moved; the caller holds promo.use (share row exclusive).
-- Raises: nothing.
create or replace function promo._move_below(p_promo_id bigint, p_max_uses int)
returns void
language plpgsql
volatile
as $$
begin
  if not exists (
    select 1 from promo.use u where u.promo_id = p_promo_id and u.use_no > p_max_uses) then
    return;
  end if;

  update promo.use m
  set use_no = f.use_no
  from (select u.use_no, row_number() over (order by u.use_no) as place
        from promo.use u
        where u.promo_id = p_promo_id and u.use_no > p_max_uses) o
  join (select n.use_no, row_number() over (order by n.use_no) as place
        from (select g.use_no
              from generate_series(1, p_max_uses) g (use_no)
              where not exists (
                select 1 from promo.use u where u.promo_id = p_promo_id and u.use_no = g.use_no)
              limit (select count(*) from promo.use u
                     where u.promo_id = p_promo_id and u.use_no > p_max_uses)) n) f
    on f.place = o.place
  where m.promo_id = p_promo_id and m.use_no = o.use_no;
end
$$;

comment on function promo._move_below is
  'There are at least as many free numbers as uses to move: promo.set_limit has counted. A null '
  'limit moves nothing.';
