-- The next promo codes of a batch.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._export_codes(
  p_batch_id bigint, p_after_id bigint, p_limit int)
returns table (reached_id bigint, reached_version bigint, cells text[])
language sql
stable
as $$
  select c.promo_id, 0::bigint, array[
           c.code, c.discount_percent::text, coalesce(c.max_uses::text, ''),
           c.per_user_limit::text, ops._export_time(c.expires_at), c.is_active::text,
           (exists (select 1 from promo.use u where u.promo_id = c.promo_id))::text]
  from promo.code c
  where c.batch_id = p_batch_id and c.promo_id > p_after_id
  order by c.promo_id
  limit p_limit
$$;

comment on function ops._export_codes is 'Up to p_limit codes, as they were made.';
