-- Makes a promo code.
-- Locks: account.admin row (share).
-- Raises: PR006, PR007, US003, ID001, 22023, OP001, OP003.
create or replace function promo.issue(
  p_admin_id bigint, p_code text, p_discount_percent int, p_max_uses int, p_per_user_limit int,
  p_expires_at timestamptz, p_idempotency_key text)
returns table (promo_id bigint, code text, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_asked jsonb;
  v_first record;
  v_wanted text;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform promo._require_terms(p_discount_percent, p_max_uses, p_per_user_limit, p_expires_at);
  perform core._require_key(p_idempotency_key);
  v_wanted := promo._require_code(p_code);
  perform account._require_admin(p_admin_id);
  v_asked := jsonb_build_object(
    'code', v_wanted, 'discount_percent', p_discount_percent, 'max_uses', p_max_uses,
    'per_user_limit', coalesce(p_per_user_limit, 1),
    'expires_at', p_expires_at at time zone 'UTC');

  is_replay := true;
  loop
    select c.promo_id, c.code, c.asked into v_first
    from promo.code c
    where c.issued_by = p_admin_id and c.idempotency_key = p_idempotency_key;
    exit when found;

    insert into promo.code as c (
      code, discount_percent, max_uses, per_user_limit, expires_at, issued_at, issued_by, asked,
      idempotency_key)
    values (
      coalesce(v_wanted, promo._new_code()), p_discount_percent, p_max_uses,
      coalesce(p_per_user_limit, 1), p_expires_at, core.now(), p_admin_id, v_asked,
      p_idempotency_key)
    on conflict do nothing
    returning c.promo_id, c.code, c.asked into v_first;
    if found then
      is_replay := false;
      perform audit._record('promo.issue', p_admin_id, v_first.code, v_asked);
      exit;
    end if;
    perform promo._refuse_taken(v_wanted, p_admin_id, p_idempotency_key);
  end loop;

  if v_first.asked <> v_asked then
    perform core._refuse('ID001', format('promo code %s has the key', v_first.code));
  end if;
  return query select v_first.promo_id, v_first.code, issue.is_replay;
end
$$;

comment on function promo.issue is
  'p_code null: generated; p_max_uses null: no limit; p_per_user_limit null: 1; p_expires_at null: '
  'never. A code is A-Z and 0-9, 3 to 32 of them; lower case is accepted and kept in upper case. '
  'Idempotent by p_idempotency_key, which belongs to the admin.';

grant execute on function promo.issue to atlas_admin, atlas_dba;
