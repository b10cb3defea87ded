-- The batches of promo codes, newest first.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function promo.list_batches(p_admin_id bigint, p_before bigint, p_limit int)
returns table (
  batch_id bigint, code_count int, discount_percent int, max_uses int, per_user_limit int,
  expires_at timestamptz, issued_at timestamptz, issued_by bigint, issued_by_username text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select b.batch_id, b.code_count, b.discount_percent::int, b.max_uses, b.per_user_limit,
         b.expires_at, b.issued_at, b.issued_by::bigint, a.username
  from promo.batch b
  left join account.account a on a.telegram_id = b.issued_by
  where p_before is null or b.batch_id < p_before
  order by b.batch_id desc
  limit p_limit;
end
$$;

comment on function promo.list_batches is
  'For admins only, a page at a time: p_before is the last page''s last batch_id. The terms are '
  'those that the codes were made with. Reads only.';

grant execute on function promo.list_batches to atlas_admin, atlas_dba;
