-- A promo code's number.
-- Locks: none.
-- Raises: PR001, PR006, US003, 22023.
create or replace function promo.find(p_admin_id bigint, p_code text)
returns table (promo_id bigint, code text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_code text;
begin
  perform core._require(p_code is not null, 'p_code: a promo code');
  v_code := promo._require_code(p_code);
  perform account._only_admins(p_admin_id);

  return query select c.promo_id, c.code from promo.code c where c.code = v_code;
  if not found then
    perform core._refuse('PR001', v_code);
  end if;
end
$$;

comment on function promo.find is
  'For admins only: a code that was made alone or with a batch, usable or not. Reads only.';

grant execute on function promo.find to atlas_admin, atlas_dba;
