-- Rejects a withdrawal: the held amount goes back.
-- Locks: account.admin row (share), user, wallet.
-- Raises: WD001, WD002, US003, 22023, OP001, OP003.
create or replace function withdrawal.reject(
  p_admin_id bigint, p_withdrawal_id bigint, p_reason text)
returns table (withdrawal_id bigint, status text, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
  v_withdrawal record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from list_pending');
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);
  v_telegram_id := withdrawal._lock(p_withdrawal_id);

  select w.status, w.ended_by into v_withdrawal
  from withdrawal.withdrawal w
  where w.telegram_id = v_telegram_id and w.withdrawal_id = p_withdrawal_id;
  reject.is_replay := v_withdrawal.status = 'rejected' and v_withdrawal.ended_by = p_admin_id;
  if not reject.is_replay then
    if v_withdrawal.status <> 'pending' then
      perform withdrawal._refuse_ended(v_telegram_id, p_withdrawal_id);
    end if;
    perform withdrawal._end(v_telegram_id, p_withdrawal_id, 'rejected', p_admin_id, p_reason,
                            null, core.now());
    perform audit._record('withdrawal.reject', p_admin_id, 'withdrawal:' || p_withdrawal_id,
                          jsonb_build_object('reason', p_reason));
  end if;

  return query select p_withdrawal_id, 'rejected', reject.is_replay;
end
$$;

comment on function withdrawal.reject is
  'Gives the held amount back and tells the user why (1 to 1000 characters). Its own key: the same'
  ' admin''s second call is a replay.';

grant execute on function withdrawal.reject to atlas_admin, atlas_dba;
