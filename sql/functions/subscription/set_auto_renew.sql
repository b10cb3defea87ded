-- Switches a user's auto-renewal on or off.
-- Locks: user, subscription.
-- Raises: SU001, US001, 22023, OP001.
create or replace function subscription.set_auto_renew(p_telegram_id bigint, p_is_on boolean)
returns table (auto_renew boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_was_on boolean;
  v_now timestamptz;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_is_on is not null, 'p_is_on: true or false');
  perform account._lock(p_telegram_id);
  v_now := core.now();

  select s.auto_renew into v_was_on
  from subscription.subscription s where s.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('SU001', format('telegram_id %s', p_telegram_id));
  end if;

  if v_was_on <> p_is_on then
    update subscription.subscription s
    set auto_renew = p_is_on,
        renew_check_at = case when p_is_on and s.expires_at > v_now then v_now end
    where s.telegram_id = p_telegram_id;
    perform audit._record('subscription.set_auto_renew', p_telegram_id, p_telegram_id::text,
                          jsonb_build_object('is_on', p_is_on));
  end if;
  return query select p_is_on;
end
$$;

comment on function subscription.set_auto_renew is
  'On: within 6 hours before the end (setting renewal_window_seconds) the plan of the last '
  'purchase is bought from the balance; during a trial that begins with the first purchase. A '
  'period whose renewal was refunded is not renewed again. Works for a blocked user too, who is '
  'not renewed meanwhile. Safe to call again.';

grant execute on function subscription.set_auto_renew to atlas_bot, atlas_dba;
