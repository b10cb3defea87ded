-- Gives a user access for some time, by an admin.
-- Locks: account.admin row (share), user, subscription.
-- Raises: US001, US003, ID001, 22023, OP001, OP003.
create or replace function subscription.grant_time(
  p_admin_id bigint, p_telegram_id bigint, p_tariff text, p_duration interval, p_reason text,
  p_idempotency_key text, p_is_told boolean default true)
returns table (expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_first record;
  v_before record;
  v_expires_at timestamptz;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(exists (select 1 from billing.tariff t where t.tariff = p_tariff),
                        'p_tariff: a tariff in billing.list_prices()');
  perform subscription._require_duration(p_duration);
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform core._require(p_is_told is not null, 'p_is_told: whether the user is told');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  v_now := core.now();

  select f.is_found, f.expires_at into v_first
  from subscription._find_change(p_telegram_id, 'grant', p_idempotency_key, p_admin_id,
                                 p_tariff, p_duration, p_reason, p_is_told) f;
  if v_first.is_found then
    return query select v_first.expires_at, true;
    return;
  end if;

  select s.tariff, s.expires_at, s.period, s.expires_at > v_now as is_active into v_before
  from subscription.subscription s where s.telegram_id = p_telegram_id;
  -- Unlike a purchase, a grant does not replace a trial: it is added to it. In UTC: a day is 24 h.
  v_expires_at := (subscription._start_after(
                     v_now, p_tariff, v_before.tariff, v_before.expires_at, 'grant')
                   at time zone 'UTC' + p_duration) at time zone 'UTC';

  perform subscription._change(
    p_telegram_id, 'grant', p_tariff, v_expires_at,
    case when v_before.is_active and v_before.period = 'paid' then 'paid' else 'grant' end
      ::subscription.period,
    v_now, p_actor_id => p_admin_id, p_reason => p_reason, p_duration => p_duration,
    p_idempotency_key => p_idempotency_key, p_is_told => p_is_told);
  perform audit._record('subscription.grant_time', p_admin_id, p_telegram_id::text,
    jsonb_build_object('tariff', p_tariff, 'duration', p_duration, 'reason', p_reason,
                       'expires_at', v_expires_at));
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select p_telegram_id, 'message', 'time_granted', v_now, v_now,
         jsonb_build_object('tariff', p_tariff, 'expires_at', v_expires_at)
  where p_is_told;

  return query select v_expires_at, false;
end
$$;

comment on function subscription.grant_time is
  'Gives p_duration (minutes, hours or days; months are refused) of a tariff, from the end in '
  'force or from now. The tariff is in force at once; remaining time converts as at a purchase. '
  'The user is told, unless p_is_told is false. Idempotent by p_idempotency_key.';

grant execute on function subscription.grant_time to atlas_admin, atlas_dba;
