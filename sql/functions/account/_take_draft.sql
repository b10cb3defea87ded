-- Takes the draft of what an admin does now, once; false: it was done before.
-- Locks: account.draft row; the caller holds the locks of what the draft is about.
-- Raises: US004.
create or replace function account._take_draft(
  p_admin_id bigint, p_draft_id uuid, p_action text)
returns boolean
language plpgsql
volatile
as $$
declare
  v_now timestamptz := core.now();
begin
  if p_draft_id is null then -- not from a confirm screen
    return true;
  end if;

  update account.draft d
  set done_at = v_now
  where d.admin_id = p_admin_id and d.draft_id = p_draft_id and d.action = p_action
    and d.done_at is null and d.expires_at > v_now;
  if found then
    return true;
  elsif not exists (
    select 1 from account.draft d
    where d.admin_id = p_admin_id and d.draft_id = p_draft_id and d.action = p_action
      and d.done_at is not null) then
    perform core._refuse('US004', format('draft_id %s: unknown, expired, or of something else',
                                         p_draft_id));
  end if;
  return false;
end
$$;

comment on function account._take_draft is
  'For actions that have no key of their own: pressed again, the button of a draft does not do '
  'once more what somebody may have changed since. A null draft is always the first time.';
