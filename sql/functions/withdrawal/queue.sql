-- One page of the withdrawals that wait for an admin, oldest first.
-- Locks: none.
-- Raises: US003, WD001, 22023, OP003.
create or replace function withdrawal.queue(p_admin_id bigint, p_after_id bigint, p_limit int)
returns table (
  withdrawal_id bigint, telegram_id bigint, username text, amount_kopecks bigint,
  requested_at timestamptz, approvals int, approvals_needed int)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_four_eyes_kopecks bigint := ops._setting_value('withdrawal_four_eyes_kopecks');
  v_after timestamptz := timestamptz '-infinity';
begin
  perform core._require_feature('admin_actions');
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');
  perform account._only_admins(p_admin_id);
  if p_after_id is not null then
    select w.requested_at into v_after
    from withdrawal.withdrawal w
    where w.withdrawal_id = p_after_id;
    if not found then
      perform core._refuse('WD001', format('withdrawal_id %s', p_after_id));
    end if;
  end if;

  return query
  select w.withdrawal_id, w.telegram_id::bigint, a.username, w.amount_kopecks::bigint,
         w.requested_at, withdrawal._count_approvals(w.telegram_id, w.withdrawal_id),
         case when w.amount_kopecks >= v_four_eyes_kopecks then 2 else 1 end
  from withdrawal.withdrawal w
  join account.account a on a.telegram_id = w.telegram_id
  where w.status = 'pending'
    and (w.requested_at, w.withdrawal_id) > (v_after, coalesce(p_after_id, 0))
  order by w.requested_at, w.withdrawal_id
  limit p_limit;
end
$$;

comment on function withdrawal.queue is
  'For admins only, without where to pay: withdrawal.look has it. p_after_id: the last row of the '
  'page before, which may have been decided since; null begins. Reads only.';

grant execute on function withdrawal.queue to atlas_admin, atlas_dba;
