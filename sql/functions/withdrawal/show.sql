-- One withdrawal as an admin's screens show it, without where to pay.
-- Locks: none.
-- Raises: US003, WD001, 22023, OP003.
create or replace function withdrawal.show(p_admin_id bigint, p_withdrawal_id bigint)
returns table (
  withdrawal_id bigint, telegram_id bigint, username text, status text, amount_kopecks bigint,
  requested_at timestamptz, approvals int, approvals_needed int, approvers jsonb,
  debt_kopecks bigint, ended_at timestamptz, ended_by bigint, ended_by_name text, reason text,
  is_own boolean, is_approved_by_you boolean)
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
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from queue');
  perform account._only_admins(p_admin_id);

  return query
  select w.withdrawal_id, w.telegram_id::bigint, a.username, w.status::text,
         w.amount_kopecks::bigint, w.requested_at,
         withdrawal._count_approvals(w.telegram_id, w.withdrawal_id),
         coalesce(w.approvals_needed::int,
                  case when w.amount_kopecks >= v_four_eyes_kopecks then 2 else 1 end),
         y.approvers, b.debt_kopecks::bigint, w.ended_at, w.ended_by, e.username, w.reason,
         w.telegram_id = p_admin_id, y.is_yours
  from withdrawal.withdrawal w
  join account.account a on a.telegram_id = w.telegram_id
  join wallet.wallet b on b.telegram_id = w.telegram_id
  left join account.account e on e.telegram_id = w.ended_by
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object(
             'telegram_id', p.admin_id, 'username', coalesce(u.username, ''),
             'approved_at', p.approved_at) order by p.approved_at), '[]') as approvers,
           coalesce(bool_or(p.admin_id = p_admin_id), false) as is_yours
    from withdrawal.approval p
    join account.admin m on m.telegram_id = p.admin_id and m.is_active
    join account.account u on u.telegram_id = p.admin_id
    where p.telegram_id = w.telegram_id and p.withdrawal_id = w.withdrawal_id) y
  where w.withdrawal_id = p_withdrawal_id;
  if not found then
    perform core._refuse('WD001', format('withdrawal_id %s', p_withdrawal_id));
  end if;
end
$$;

comment on function withdrawal.show is
  'Who asked for how much, and how it stands: ended_by and ended_at say who decided and when. '
  'approvers: [{telegram_id, username, approved_at}] of those who are admins still. Reads only.';

grant execute on function withdrawal.show to atlas_admin, atlas_dba;
