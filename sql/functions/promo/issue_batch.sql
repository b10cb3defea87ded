-- Makes up to a hundred generated promo codes with one set of terms.
-- Locks: account.admin row (share).
-- Raises: US003, ID001, 22023, OP001, OP003.
create or replace function promo.issue_batch(
  p_admin_id bigint, p_count int, p_discount_percent int, p_max_uses int, p_per_user_limit int,
  p_expires_at timestamptz, p_idempotency_key text)
returns table (batch_id bigint, promo_id bigint, code text, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_asked jsonb;
  v_first record;
  v_is_replay boolean;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_count between 1 and 100, 'p_count: 1 to 100');
  perform promo._require_terms(p_discount_percent, p_max_uses, p_per_user_limit, p_expires_at);
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  v_asked := jsonb_build_object(
    'count', p_count, 'discount_percent', p_discount_percent, 'max_uses', p_max_uses,
    'per_user_limit', coalesce(p_per_user_limit, 1),
    'expires_at', p_expires_at at time zone 'UTC');

  insert into promo.batch (
    code_count, discount_percent, max_uses, per_user_limit, expires_at, issued_at, issued_by,
    asked, idempotency_key)
  values (p_count, p_discount_percent, p_max_uses, coalesce(p_per_user_limit, 1), p_expires_at,
          core.now(), p_admin_id, v_asked, p_idempotency_key)
  on conflict on constraint batch_key_once do nothing;
  v_is_replay := not found;

  select b.batch_id, b.asked into strict v_first
  from promo.batch b
  where b.issued_by = p_admin_id and b.idempotency_key = p_idempotency_key;
  if v_first.asked <> v_asked then
    perform core._refuse('ID001', format('batch_id %s has the key', v_first.batch_id));
  elsif not v_is_replay then
    perform promo._fill_batch(v_first.batch_id);
    perform audit._record('promo.issue_batch', p_admin_id, v_first.batch_id::text, v_asked);
  end if;

  return query
  select c.batch_id, c.promo_id, c.code, v_is_replay
  from promo.code c
  where c.batch_id = v_first.batch_id
  order by c.promo_id;
end
$$;

comment on function promo.issue_batch is
  'As promo.issue with a null code, so many times at once; one row per code, p_count of them. All '
  'or none. Idempotent by p_idempotency_key, which belongs to the admin: a repeat gives the same '
  'codes.';

grant execute on function promo.issue_batch to atlas_admin, atlas_dba;
