-- Everything about one promo code.
-- Locks: none.
-- Raises: PR001, US003, 22023.
create or replace function promo.card(p_admin_id bigint, p_promo_id bigint)
returns table (
  promo_id bigint, code text, discount_percent int, max_uses int, per_user_limit int,
  expires_at timestamptz, is_active boolean, is_expired boolean, issued_at timestamptz,
  issued_by bigint, issued_by_username text, disabled_at timestamptz, disabled_by bigint,
  disabled_by_username text, batch_id bigint, uses bigint, uses_left bigint, counted bigint,
  reserved bigint, consumed bigint, refunded bigint, revenue_kopecks bigint,
  discount_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(p_promo_id >= 1, 'p_promo_id: of a row in promo.list');
  perform account._only_admins(p_admin_id);

  return query
  select c.promo_id, c.code, c.discount_percent::int, c.max_uses, c.per_user_limit, c.expires_at,
         c.is_active, coalesce(c.expires_at <= core.now(), false), c.issued_at,
         c.issued_by::bigint, i.username, c.disabled_at, c.disabled_by::bigint, d.username,
         c.batch_id, f.uses, c.max_uses - f.uses, f.counted, f.reserved, f.consumed, f.refunded,
         f.revenue_kopecks, f.discount_kopecks
  from promo.code c
  cross join lateral promo._figures(c.promo_id, 10000) f
  left join account.account i on i.telegram_id = c.issued_by
  left join account.account d on d.telegram_id = c.disabled_by
  where c.promo_id = p_promo_id;
  if not found then
    perform core._refuse('PR001', format('promo_id %s', p_promo_id));
  end if;
end
$$;

comment on function promo.card is
  'For admins only: terms, who made it and switched it off, and what it brought. uses_left is null '
  'for a code without a limit. reserved to discount_kopecks are of the first 10 000 uses; counted '
  'says how many that were. Reads only.';

grant execute on function promo.card to atlas_admin, atlas_dba;
