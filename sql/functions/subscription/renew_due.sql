-- Renews subscriptions from the balance, shortly before they end.
-- Locks: lease, users (rows, skip locked), subscription, wallet.
-- Raises: OP001, OP002, OP003, 22023.
create or replace function subscription.renew_due(p_epoch bigint, p_limit int)
returns table (renewed int, declined int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_done record;
begin
  perform ops._enter_due('subscription.renew_due', p_epoch, p_limit);
  perform core._require_feature('auto_renewal');
  v_now := core.now();
  renew_due.renewed := 0;
  renew_due.declined := 0;

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select s.telegram_id from subscription.subscription s
      where s.renew_check_at <= v_now
        and not exists (
          select 1 from ops.dead d
          where d.job_name = 'subscription.renew_due'
            and d.subject = 'telegram_id:' || s.telegram_id
            and d.died_at > v_now - interval '1 hour')
      order by s.renew_check_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    select r.renewed, r.declined into renew_due.renewed, renew_due.declined
    from subscription._renew(v_users, v_now) r;
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        select r.renewed, r.declined into v_done from subscription._renew(array[v_user], v_now) r;
        renew_due.renewed := renew_due.renewed + v_done.renewed;
        renew_due.declined := renew_due.declined + v_done.declined;
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('subscription.renew_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return next;
end
$$;

comment on function subscription.renew_due is
  'Within 6 hours before the end (setting renewal_window_seconds): the plan of the last paid '
  'purchase, VIP and personal discounts only, at most one charge per period. Too little money: no '
  'charge, one message per period, and again after a deposit. Users that are busy are left for '
  'the next run. p_epoch: of the lease subscription.renew_due; null by hand.';

grant execute on function subscription.renew_due to atlas_worker, atlas_dba;
