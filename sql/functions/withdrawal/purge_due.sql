-- Removes requisites that are no longer needed.
-- Locks: lease, users (rows, skip locked).
-- Raises: OP001, OP002, OP003, 22023.
create or replace function withdrawal.purge_due(p_epoch bigint, p_limit int)
returns table (purged int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_purged int := 0;
begin
  perform ops._enter_due('withdrawal.purge_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select o.telegram_id
      from (select w.telegram_id, w.requisites_purge_at as due_at from withdrawal.withdrawal w
            where w.requisites_purge_at <= v_now
            union all
            select d.telegram_id, d.expires_at from withdrawal.draft d
            where d.expires_at <= v_now and d.requisites is not null) o
      where not exists (
        select 1 from ops.dead e
        where e.job_name = 'withdrawal.purge_due' and e.subject = 'telegram_id:' || o.telegram_id
          and e.died_at > v_now - interval '1 hour')
      order by o.due_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    v_purged := withdrawal._purge(v_users, v_now);
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        v_purged := v_purged + withdrawal._purge(array[v_user], v_now);
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('withdrawal.purge_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return query select v_purged;
end
$$;

comment on function withdrawal.purge_due is
  'Removes the requisites of at most p_limit users'' withdrawals 90 days after their end (setting '
  'requisites_days), and of drafts that have expired. p_epoch: of the lease withdrawal.purge_due; '
  'null by hand.';

grant execute on function withdrawal.purge_due to atlas_worker, atlas_dba;
