-- Opens a top-up of the balance.
-- Locks: user.
-- Raises: PU006, US001, US002, ID001, 22023, OP001, OP003.
create or replace function billing.open_topup(
  p_telegram_id bigint, p_amount_kopecks bigint, p_idempotency_key text)
returns table (
  purchase_id uuid, price_kopecks bigint, expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_id uuid;
begin
  perform core._guard('payments');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  v_id := billing._find_opened(p_telegram_id, 'topup', p_idempotency_key, null, null, null,
                               p_amount_kopecks);
  if v_id is null then
    if v_is_blocked then
      perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
    end if;
    if p_amount_kopecks not between ops._setting_value('topup_minimum_kopecks')
                                and ops._setting_value('topup_maximum_kopecks') then
      perform core._refuse('PU006', format(
        '%s is not between %s and %s kopecks', p_amount_kopecks,
        ops._setting_value('topup_minimum_kopecks'), ops._setting_value('topup_maximum_kopecks')));
    end if;

    insert into billing.purchase as u (
      telegram_id, purchase_id, kind, status, list_kopecks, discount_kind, discount_percent,
      price_kopecks, idempotency_key, opened_at, expires_at, expiry_check_at)
    select p_telegram_id, gen_random_uuid(), 'topup', 'open', p_amount_kopecks, 'none', 0,
           p_amount_kopecks, p_idempotency_key, v_now, l.expires_at, l.expires_at
    from billing._lifetime(v_now) l (expires_at)
    returning u.purchase_id into v_id;
    is_replay := false;
  else
    is_replay := true;
  end if;

  return query
  select u.purchase_id, u.price_kopecks::bigint, u.expires_at, open_topup.is_replay
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = v_id;
end
$$;

comment on function billing.open_topup is
  'Opens a top-up; what a provider then brings for it is credited, whatever the amount. Limits: '
  'billing.topup_options(). Idempotent by p_idempotency_key.';

grant execute on function billing.open_topup to atlas_bot, atlas_dba;
