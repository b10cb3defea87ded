-- Changes how often a promo code can be used in all.
-- Locks: account.admin row (share), promo.use (share row exclusive), the code's row.
-- Raises: PR001, PR003, PR006, US003, 22023, OP001, OP003.
create or replace function promo.set_limit(p_admin_id bigint, p_code text, p_max_uses int)
returns table (code text, max_uses int, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_code text;
  v_now record;
  v_uses bigint;
  v_is_replay boolean;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_code is not null, 'p_code: a promo code');
  perform core._require(p_max_uses is null or p_max_uses between 1 and 1000000,
                        'p_max_uses: 1 to 1000000, or null for no limit');
  v_code := promo._require_code(p_code);
  perform account._require_admin(p_admin_id);

  select l.promo_id, l.max_uses into v_now from promo._lock_code(v_code) l;
  v_is_replay := v_now.max_uses is not distinct from p_max_uses;
  if not v_is_replay then
    select count(*) into v_uses from promo.use u where u.promo_id = v_now.promo_id;
    if v_uses > p_max_uses then
      perform core._refuse('PR003', format('%s: %s uses are reserved or consumed', v_code, v_uses));
    end if;

    perform promo._move_below(v_now.promo_id, p_max_uses);
    update promo.code c set max_uses = p_max_uses where c.promo_id = v_now.promo_id;
    perform audit._record('promo.set_limit', p_admin_id, v_code,
                          jsonb_build_object('from', v_now.max_uses, 'to', p_max_uses));
  end if;

  return query select v_code, p_max_uses, v_is_replay;
end
$$;

comment on function promo.set_limit is
  'p_max_uses null: no limit. Not below what is used and reserved (PR003, DETAIL has the number). '
  'The same limit again is a replay.';

grant execute on function promo.set_limit to atlas_admin, atlas_dba;
