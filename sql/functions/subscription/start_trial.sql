-- Starts a user's one trial.
-- Locks: user, subscription.
-- Raises: SU002, SU003, US001, US002, 22023, OP001, OP003.
create or replace function subscription.start_trial(
  p_telegram_id bigint, p_idempotency_key text)
returns table (expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_expires_at timestamptz;
begin
  perform core._guard('trials');
  perform core._require_user_id(p_telegram_id);
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  select c.after_expires_at into v_expires_at
  from subscription.change c
  where c.telegram_id = p_telegram_id and c.kind = 'trial'
    and c.idempotency_key = p_idempotency_key;
  if found then
    return query select v_expires_at, true;
    return;
  elsif v_is_blocked then
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  elsif exists (select 1 from subscription.change c
                where c.telegram_id = p_telegram_id and c.kind = 'trial') then
    perform core._refuse('SU002', format('telegram_id %s (change_one_trial)', p_telegram_id));
  elsif exists (select 1 from subscription.subscription s
                where s.telegram_id = p_telegram_id and s.expires_at > v_now) then
    perform core._refuse('SU003', format('telegram_id %s', p_telegram_id));
  end if;

  v_expires_at := v_now + make_interval(hours => 24 * ops._setting_value('trial_days')::int);
  perform subscription._change(
    p_telegram_id, 'trial',
    (select t.tariff from billing.tariff t order by t.is_on_sale desc, t.rank limit 1),
    v_expires_at, 'trial', v_now, p_idempotency_key => p_idempotency_key);
  perform audit._record('subscription.start_trial', p_telegram_id, p_telegram_id::text,
                        jsonb_build_object('expires_at', v_expires_at));

  insert into outbox.task (telegram_id, kind, name, due_at, created_at)
  select a.referrer_id, 'message', 'referral_trial', v_now, v_now
  from account.account a
  where a.telegram_id = p_telegram_id and a.referrer_id is not null;

  return query select v_expires_at, false;
end
$$;

comment on function subscription.start_trial is
  'A trial of the lowest tariff on sale, for 3 days (setting trial_days), once per user ever, and '
  'only while no subscription is in force. The key is delivered by a job; the referrer is told. '
  'Idempotent by p_idempotency_key.';

grant execute on function subscription.start_trial to atlas_bot, atlas_dba;
