-- Approves a withdrawal; a large one needs two admins.
-- Locks: account.admin row (share), user, wallet.
-- Raises: WD001, WD002, WD005, US003, 22023, OP001, OP003.
create or replace function withdrawal.approve(p_admin_id bigint, p_withdrawal_id bigint)
returns table (withdrawal_id bigint, status text, approvals int, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
  v_now timestamptz;
  v_first record;
  v_withdrawal record;
  v_needed int;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from list_pending');
  perform account._require_admin(p_admin_id);
  v_telegram_id := withdrawal._lock(p_withdrawal_id);
  v_now := core.now();
  if v_telegram_id = p_admin_id then
    perform core._refuse('WD005', format('withdrawal_id %s (approval_not_own)', p_withdrawal_id));
  end if;

  select a.status_after, a.approvals_after into v_first
  from withdrawal.approval a
  where a.telegram_id = v_telegram_id and a.withdrawal_id = p_withdrawal_id
    and a.admin_id = p_admin_id;
  if found then
    return query
    select p_withdrawal_id, v_first.status_after::text, v_first.approvals_after::int, true;
    return;
  end if;

  select w.status, w.amount_kopecks into v_withdrawal
  from withdrawal.withdrawal w
  where w.telegram_id = v_telegram_id and w.withdrawal_id = p_withdrawal_id;
  if v_withdrawal.status <> 'pending' then
    perform withdrawal._refuse_ended(v_telegram_id, p_withdrawal_id);
  end if;

  v_needed := case when v_withdrawal.amount_kopecks
                        >= ops._setting_value('withdrawal_four_eyes_kopecks') then 2 else 1 end;
  approve.approvals := 1 + withdrawal._count_approvals(v_telegram_id, p_withdrawal_id);
  approve.status := case when approve.approvals >= v_needed then 'approved' else 'pending' end;
  insert into withdrawal.approval (
    telegram_id, withdrawal_id, admin_id, approved_at, status_after, approvals_after)
  values (v_telegram_id, p_withdrawal_id, p_admin_id, v_now,
          approve.status::withdrawal.status, approve.approvals);
  perform audit._record('withdrawal.approve', p_admin_id, 'withdrawal:' || p_withdrawal_id,
                        jsonb_build_object('status', approve.status,
                                           'approvals', approve.approvals));
  if approve.status = 'approved' then
    perform withdrawal._end(v_telegram_id, p_withdrawal_id, 'approved', p_admin_id, null,
                            v_needed, v_now);
  end if;
  return query select p_withdrawal_id, approve.status, approve.approvals, false;
end
$$;

comment on function withdrawal.approve is
  'Pays the held amount out; the transfer itself is made by hand, with the requisites of '
  'list_pending. From 50 000 roubles (setting withdrawal_four_eyes_kopecks) two different admins '
  'have to approve, both admins when the second does: until then it stays pending. Nobody '
  'approves their own. A debt since the request does not stop it: list_pending shows it. Its own '
  'key: the same admin''s second call is a replay.';

grant execute on function withdrawal.approve to atlas_admin, atlas_dba;
