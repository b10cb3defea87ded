-- The withdrawals that wait for an admin, oldest first, with where to pay.
-- Locks: none.
-- Raises: US003, 22023, OP003.
create or replace function withdrawal.list_pending(p_admin_id bigint, p_limit int)
returns table (
  withdrawal_id bigint, telegram_id bigint, username text, amount_kopecks bigint,
  requested_at timestamptz, approvals int, approvals_needed int, requisites text,
  debt_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_four_eyes_kopecks bigint := ops._setting_value('withdrawal_four_eyes_kopecks');
begin
  perform core._require_feature('admin_actions');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select w.withdrawal_id, w.telegram_id::bigint, a.username, w.amount_kopecks::bigint,
         w.requested_at, withdrawal._count_approvals(w.telegram_id, w.withdrawal_id),
         case when w.amount_kopecks >= v_four_eyes_kopecks then 2 else 1 end, w.requisites,
         b.debt_kopecks::bigint
  from withdrawal.withdrawal w
  join account.account a on a.telegram_id = w.telegram_id
  join wallet.wallet b on b.telegram_id = w.telegram_id
  where w.status = 'pending'
  order by w.requested_at, w.withdrawal_id
  limit p_limit;
end
$$;

comment on function withdrawal.list_pending is
  'For admins only: requisites are sealed and only the application can open them. approvals counts'
  ' those of admins who still are. debt_kopecks: what the user has come to owe since the request; '
  'approve pays out all the same, reject gives the amount back to the balance. Reads only.';

grant execute on function withdrawal.list_pending to atlas_admin, atlas_dba;
