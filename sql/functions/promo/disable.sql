-- Switches a promo code off, for good.
-- Locks: account.admin row (share), promo.use (share row exclusive), the code's row.
-- Raises: PR001, PR006, US003, 22023, OP001, OP003.
create or replace function promo.disable(p_admin_id bigint, p_code text)
returns table (code text, is_active boolean, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_code text;
  v_now record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_code is not null, 'p_code: a promo code');
  v_code := promo._require_code(p_code);
  perform account._require_admin(p_admin_id);

  select l.promo_id, l.is_active into v_now from promo._lock_code(v_code) l;
  if v_now.is_active then
    update promo.code c
    set is_active = false, disabled_at = core.now(), disabled_by = p_admin_id
    where c.promo_id = v_now.promo_id;
    perform audit._record('promo.disable', p_admin_id, v_code);
  end if;

  return query select v_code, false, not v_now.is_active;
end
$$;

comment on function promo.disable is
  'Nobody can open a purchase with the code any more, for good; open purchases keep their price. '
  'Once it is off, every admin''s call is a replay; who was the first is in audit.event.';

grant execute on function promo.disable to atlas_admin, atlas_dba;
