-- The codes of a batch.
-- Locks: none.
-- Raises: PR001, US003, 22023.
create or replace function promo.list_batch(p_admin_id bigint, p_batch_id bigint)
returns table (batch_id bigint, promo_id bigint, code text, is_active boolean, is_used boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(p_batch_id >= 1, 'p_batch_id: of a row in promo.list_batches');
  perform account._only_admins(p_admin_id);

  return query
  select c.batch_id, c.promo_id, c.code, c.is_active,
         exists (select 1 from promo.use u where u.promo_id = c.promo_id)
  from promo.code c
  where c.batch_id = p_batch_id
  order by c.promo_id;
  if not found then
    perform core._refuse('PR001', format('batch_id %s', p_batch_id));
  end if;
end
$$;

comment on function promo.list_batch is
  'For admins only: at most a hundred rows. is_used: reserved or consumed at least once. Reads '
  'only.';

grant execute on function promo.list_batch to atlas_admin, atlas_dba;
