-- Blocks a user or lifts it, with an audit entry.
-- Locks: account.admin row (share), user, account.draft row, subscription.
-- Raises: US001, US003, US004, 22023.
create or replace function account._set_blocked(
  p_admin_id bigint, p_telegram_id bigint, p_reason text, p_is_blocked boolean,
  p_draft_id uuid)
returns boolean
language plpgsql
volatile
as $$
declare
  v_is_blocked boolean;
begin
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);
  v_is_blocked := account._lock(p_telegram_id);
  if not account._take_draft(p_admin_id, p_draft_id,
                             case when p_is_blocked then 'block' else 'unblock' end) then
    return true;
  elsif v_is_blocked = p_is_blocked then
    return false;
  end if;

  update account.account a
  set is_blocked = p_is_blocked,
      blocked_at = case when p_is_blocked then core.now() end,
      blocked_reason = case when p_is_blocked then p_reason end
  where a.telegram_id = p_telegram_id;
  if not p_is_blocked then -- renewals that stopped meanwhile are looked at again
    update subscription.subscription s
    set renew_check_at = core.now()
    where s.telegram_id = p_telegram_id and s.auto_renew and s.expires_at > core.now();
  end if;
  perform audit._record(case when p_is_blocked then 'account.block' else 'account.unblock' end,
                        p_admin_id, p_telegram_id::text, jsonb_build_object('reason', p_reason));
  return false;
end
$$;

comment on function account._set_blocked is
  'account.block and account.unblock. True: the draft was done before, and nothing changed.';
