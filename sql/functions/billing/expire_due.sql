-- Closes open purchases whose time is over.
-- Locks: lease, users (rows, skip locked), the uses of their promo codes.
-- Raises: OP001, OP002, OP003, 22023.
create or replace function billing.expire_due(p_epoch bigint, p_limit int)
returns table (expired int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_expired int := 0;
begin
  perform ops._enter_due('billing.expire_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select u.telegram_id from billing.purchase u
      where u.expiry_check_at <= v_now
        and not exists (
          select 1 from ops.dead d
          where d.job_name = 'billing.expire_due' and d.subject = 'telegram_id:' || u.telegram_id
            and d.died_at > v_now - interval '1 hour')
      order by u.expiry_check_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    v_expired := billing._expire(v_users, v_now);
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        v_expired := v_expired + billing._expire(array[v_user], v_now);
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('billing.expire_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return query select v_expired;
end
$$;

comment on function billing.expire_due is
  'Closes at most p_limit users'' open purchases whose time is over. Users that are busy are left'
  ' for the next run. p_epoch: of the lease billing.expire_due; null by hand.';

grant execute on function billing.expire_due to atlas_worker, atlas_dba;
