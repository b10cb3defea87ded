-- Makes a user's row at the first /start, with wallet, referral code and referrer.
-- Locks: user (only one that exists).
-- Raises: 22023, OP001.
create or replace function account.register(
  p_telegram_id bigint, p_username text, p_language text, p_start_payload text)
returns table (
  telegram_id bigint, is_new boolean, language text, referrer_id bigint, bind_refusal text,
  is_language_chosen boolean, is_trial_offered boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
  v_referrer_id bigint;
  v_bind_refusal text;
  v_is_new boolean;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(
    p_username is null or p_username ~ '^[^[:cntrl:]]{1,64}$',
    'p_username: null, or 1 to 64 characters, no control characters');
  perform core._require(p_language is null or p_language in ('ru', 'en'),
                        'p_language: ru, en, or null for not known');
  perform core._require(p_start_payload is null or p_start_payload ~ '^[^[:cntrl:]]{0,64}$',
                        'p_start_payload: null, or at most 64 characters, no control characters');

  select r.referrer_id, r.bind_refusal into v_referrer_id, v_bind_refusal
  from account._find_referrer(p_telegram_id, p_start_payload) r;

  insert into account.account (
    telegram_id, username, language, referral_code, referrer_id, start_payload, registered_at)
  values (
    p_telegram_id, p_username, coalesce(p_language, 'ru'), account._new_referral_code(),
    v_referrer_id, nullif(p_start_payload, ''), v_now)
  on conflict on constraint account_pkey do nothing;
  v_is_new := found;

  if v_is_new then
    insert into wallet.wallet (telegram_id) values (p_telegram_id);
    perform account._tell_referrer(p_telegram_id, v_referrer_id, v_now);
  else
    perform account._lock(p_telegram_id);
    update account.account a
    set username = p_username, is_reachable = true
    where a.telegram_id = p_telegram_id
      and (a.username is distinct from p_username or not a.is_reachable);
    if v_referrer_id is distinct from (
         select a.referrer_id from account.account a where a.telegram_id = p_telegram_id) then
      v_bind_refusal := coalesce(
        v_bind_refusal, case when v_referrer_id is not null then 'already_registered' end);
    end if;
  end if;

  if v_bind_refusal is not null then
    perform audit._record('account.register.bind_refused', p_telegram_id, p_telegram_id::text,
                          jsonb_build_object('reason', v_bind_refusal));
  end if;

  return query
  select a.telegram_id::bigint, v_is_new, a.language, a.referrer_id::bigint, v_bind_refusal,
         a.is_language_chosen, subscription._trial_refusal(p_telegram_id, v_now) is null
  from account.account a
  where a.telegram_id = p_telegram_id;
end
$$;

comment on function account.register is
  'Registers a user, or notes that a known one is back. p_language is a guess (null: ru) until '
  'account.set_language. p_start_payload "ref_<code>" binds the referrer of a brand-new user, '
  'once and for ever: a code cannot be older than its owner, so neither oneself nor a cycle can '
  'be bound. bind_refusal: null, unknown_code, self or already_registered. is_trial_offered is '
  'what subscription.trial_offer would say, so that /start asks once. Safe to call again.';

grant execute on function account.register to atlas_bot, atlas_dba;
