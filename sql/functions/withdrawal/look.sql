-- One withdrawal with where to pay, for the admin who decides or pays; each look is recorded.
-- Locks: account.admin row (share).
-- Raises: US003, WD001, 22023, OP001, OP003.
create or replace function withdrawal.look(p_admin_id bigint, p_withdrawal_id bigint)
returns table (
  withdrawal_id bigint, telegram_id bigint, username text, status text, amount_kopecks bigint,
  requested_at timestamptz, approvals int, approvals_needed int, approvers jsonb,
  debt_kopecks bigint, ended_at timestamptz, ended_by bigint, ended_by_name text, reason text,
  is_own boolean, is_approved_by_you boolean, requisites text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who asks');
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from queue');
  perform account._require_admin(p_admin_id);

  return query
  select s.withdrawal_id, s.telegram_id, s.username, s.status, s.amount_kopecks, s.requested_at,
         s.approvals, s.approvals_needed, s.approvers, s.debt_kopecks, s.ended_at, s.ended_by,
         s.ended_by_name, s.reason, s.is_own, s.is_approved_by_you, w.requisites
  from withdrawal.show(p_admin_id, p_withdrawal_id) s
  join withdrawal.withdrawal w
    on w.telegram_id = s.telegram_id and w.withdrawal_id = s.withdrawal_id;
  perform audit._record('withdrawal.look', p_admin_id, 'withdrawal:' || p_withdrawal_id);
end
$$;

comment on function withdrawal.look is
  'withdrawal.show and the requisites: sealed, only the application can open them; null once '
  'purged. Every call is a look of its own and leaves a row in the audit (withdrawal.look), a '
  'repeat, too.';

grant execute on function withdrawal.look to atlas_admin, atlas_dba;
