-- Gives some users new identities for a request, but those who have had one since.
-- Locks: subscription; the caller holds the users' locks.
-- Raises: nothing.
create or replace function vpn._reissue_people(
  p_request_id bigint, p_users bigint[], p_now timestamptz, out done int, out skipped int)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_request record;
  v_user record;
begin
  done := 0;
  skipped := 0;
  select r.admin_id, r.requested_at into v_request
  from vpn.reissue_request r
  where r.request_id = p_request_id;

  for v_user in
    select s.telegram_id, coalesce(m.made_at > v_request.requested_at, false) as is_new
    from subscription.subscription s
    cross join lateral (
      select min(t.created_at) as made_at -- a key that was moved has a later one, too
      from outbox.task t
      where t.telegram_id = s.telegram_id and t.kind = 'provision' and t.name = 'add'
        and t.vpn_uuid = s.vpn_uuid) m
    where s.telegram_id = any (p_users) and s.expires_at > p_now
    order by s.telegram_id
  loop
    if v_user.is_new then
      skipped := skipped + 1;
    else
      perform vpn._reissue(v_user.telegram_id, v_request.admin_id, 'all:' || p_request_id, p_now,
                           p_request_id);
      done := done + 1;
    end if;
  end loop;
end
$$;

comment on function vpn._reissue_people is
  'An identity is as old as the promise of its key. Whose subscription has ended is not counted. '
  'The key all:<request> of subscription.change is why nobody gets two from one request.';
