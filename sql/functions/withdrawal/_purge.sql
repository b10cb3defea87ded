-- Removes the overdue requisites of users whose locks the caller holds.
-- Locks: none.
-- Raises: nothing.
create or replace function withdrawal._purge(p_users bigint[], p_now timestamptz)
returns int
language plpgsql
volatile
as $$
declare
  v_withdrawals int;
  v_drafts int;
begin
  update withdrawal.withdrawal w
  set requisites = null, requisites_purge_at = null
  where w.telegram_id = any (p_users) and w.requisites_purge_at <= p_now;
  get diagnostics v_withdrawals = row_count;

  update withdrawal.draft d
  set requisites = null
  where d.telegram_id = any (p_users) and d.expires_at <= p_now and d.requisites is not null;
  get diagnostics v_drafts = row_count;

  if v_withdrawals + v_drafts > 0 then
    perform audit._record('withdrawal.purge_due', null, null, jsonb_build_object(
      'withdrawals', v_withdrawals, 'drafts', v_drafts));
  end if;
  return v_withdrawals + v_drafts;
end
$$;

comment on function withdrawal._purge is
  'Of ended withdrawals after their time, and of drafts that can no longer be submitted.';
