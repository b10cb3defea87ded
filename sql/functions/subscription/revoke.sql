-- Ends a user's subscription now, by an admin.
-- Locks: account.admin row (share), user, subscription.
-- Raises: SU001, US001, US003, ID001, 22023, OP001, OP003.
create or replace function subscription.revoke(
  p_admin_id bigint, p_telegram_id bigint, p_reason text, p_idempotency_key text,
  p_is_told boolean default true)
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
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform core._require(p_is_told is not null, 'p_is_told: whether the user is told');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  v_now := core.now();

  select f.is_found, f.expires_at into v_first
  from subscription._find_change(p_telegram_id, 'revoke', p_idempotency_key, p_admin_id,
                                 null, null, p_reason, p_is_told) f;
  if v_first.is_found then
    return query select v_first.expires_at, true;
    return;
  end if;

  select s.tariff, s.expires_at, s.period into v_before
  from subscription.subscription s
  where s.telegram_id = p_telegram_id and s.expires_at > v_now;
  if not found then
    perform core._refuse('SU001', format('telegram_id %s has none in force', p_telegram_id));
  end if;

  perform subscription._change(
    p_telegram_id, 'revoke', v_before.tariff, v_now, v_before.period, v_now,
    p_actor_id => p_admin_id, p_reason => p_reason, p_idempotency_key => p_idempotency_key,
    p_is_told => p_is_told);
  perform audit._record('subscription.revoke', p_admin_id, p_telegram_id::text,
    jsonb_build_object('reason', p_reason, 'tariff', v_before.tariff,
                       'expires_at', v_before.expires_at));
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select p_telegram_id, 'message', 'subscription_revoked', v_now, v_now,
         jsonb_build_object('reason', p_reason)
  where p_is_told;

  return query select v_now, false;
end
$$;

comment on function subscription.revoke is
  'The subscription ends now, its key is removed, auto-renewal is off, and the user is told the '
  'reason, unless p_is_told is false. No money moves: see billing.refund_purchase. Idempotent by '
  'p_idempotency_key.';

grant execute on function subscription.revoke to atlas_admin, atlas_dba;
