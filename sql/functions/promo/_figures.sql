-- What a promo code has brought so far.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._figures(
  p_promo_id bigint, p_most int, out uses bigint, out counted bigint, out reserved bigint,
  out consumed bigint, out refunded bigint, out revenue_kopecks bigint,
  out discount_kopecks bigint)
language plpgsql
stable
as $$
begin
  select count(*) into _figures.uses from promo.use u where u.promo_id = p_promo_id;

  select count(*), count(*) filter (where b.status not in ('paid', 'refunded')),
         count(*) filter (where b.status in ('paid', 'refunded')),
         count(*) filter (where b.status = 'refunded'),
         coalesce(sum(b.price_kopecks) filter (where b.status = 'paid'), 0)::bigint,
         coalesce(sum(b.list_kopecks - b.price_kopecks) filter (where b.status = 'paid'), 0)::bigint
  into _figures.counted, _figures.reserved, _figures.consumed, _figures.refunded,
       _figures.revenue_kopecks, _figures.discount_kopecks
  from (select u.telegram_id, u.purchase_id
        from promo.use u
        where u.promo_id = p_promo_id
        order by u.use_no
        limit p_most) t
  join billing.purchase b on b.telegram_id = t.telegram_id and b.purchase_id = t.purchase_id;
end
$$;

comment on function promo._figures is
  'uses is all of them, from the primary key alone; the rest is looked up in the purchases of the '
  'first p_most, and counted says how many those were. Refunded purchases bring nothing and give '
  'no use back.';
