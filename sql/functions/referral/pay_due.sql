-- Pays the cashback that is due, and claws back what was taken back.
-- Locks: lease, users (rows, skip locked), wallets.
-- Raises: OP001, OP002, OP003, 22023.
create or replace function referral.pay_due(p_epoch bigint, p_limit int)
returns table (paid int, paid_kopecks bigint)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_users bigint[];
  v_tasks bigint[];
  v_locked bigint[];
  v_user bigint;
  v_done record;
begin
  perform ops._enter_due('referral.pay_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(d.telegram_id), array_agg(d.task_id) into v_users, v_tasks
  from referral._due_tasks(v_now, p_limit) d;

  select array_agg(l.telegram_id) into v_locked
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (v_users)
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    select w.paid, w.paid_kopecks into pay_due.paid, pay_due.paid_kopecks
    from referral._work(v_locked, v_users, v_tasks, v_now) w;
  exception when data_exception or integrity_constraint_violation or no_data_found then
    pay_due.paid := 0;
    pay_due.paid_kopecks := 0;
    foreach v_user in array v_locked loop
      begin
        select w.paid, w.paid_kopecks into v_done
        from referral._work(array[v_user], v_users, v_tasks, v_now) w;
        pay_due.paid := pay_due.paid + v_done.paid;
        pay_due.paid_kopecks := pay_due.paid_kopecks + v_done.paid_kopecks;
      exception when data_exception or integrity_constraint_violation or no_data_found then
        perform ops._bury('referral.pay_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return next;
end
$$;

comment on function referral.pay_due is
  'Works at most p_limit promised rewards and claw-backs, in the order of their promise for each '
  'referrer. A reward is paid once per purchase; one whose claw-back is waiting is void. Referrers'
  ' that are busy are left for the next run. p_epoch: of the lease referral.pay_due; null by hand.';

grant execute on function referral.pay_due to atlas_worker, atlas_dba;
