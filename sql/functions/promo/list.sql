-- The promo codes that were made alone, newest first.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function promo.list(
  p_admin_id bigint, p_is_usable boolean, p_before bigint, p_limit int)
returns table (
  promo_id bigint, code text, discount_percent int, max_uses int, expires_at timestamptz,
  is_active boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require(p_is_usable is not null, 'p_is_usable: true or false');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select c.promo_id, c.code, c.discount_percent::int, c.max_uses, c.expires_at, c.is_active
  from promo.code c
  where c.batch_id is null and (p_before is null or c.promo_id < p_before)
    and (c.is_active and coalesce(c.expires_at > v_now, true)) = p_is_usable
  order by c.promo_id desc
  limit p_limit;
end
$$;

comment on function promo.list is
  'For admins only, a page at a time: p_is_usable true for those that are neither switched off nor '
  'past their end, false for the others; p_before is the last page''s last promo_id. Codes of '
  'batches are in promo.list_batches. Reads only.';

grant execute on function promo.list to atlas_admin, atlas_dba;
