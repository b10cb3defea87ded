-- Leases waiting updates, oldest first, one per chat at a time.
-- Locks: inbox.update rows (skip locked).
-- Raises: 22023, OP001.
create or replace function inbox.claim(p_holder text, p_limit int, p_lease interval)
returns table (
  update_id bigint, chat_id bigint, payload text, attempt int, lease_token uuid)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
begin
  perform core._guard();
  perform outbox._require_claim(p_holder, p_limit, p_lease);
  v_now := core.now();
  perform inbox._close_poison(v_now);

  return query
  with due as (
    select u.update_id
    from inbox.update u
    where u.finished_at is null and u.due_at <= v_now
      and (u.leased_until is null or u.leased_until <= v_now)
      and not exists (
        select 1 from inbox.update e
        where e.chat_id = u.chat_id and e.finished_at is null
          and (e.update_id < u.update_id or e.leased_until > v_now))
    order by u.update_id
    limit p_limit
    for no key update of u skip locked
  ), claimed as (
    update inbox.update u
    set attempt = least(u.attempt + 1, 32767), holder = p_holder, lease_token = gen_random_uuid(),
        leased_until = v_now + p_lease
    from due d
    where u.update_id = d.update_id
    returning u.update_id, u.chat_id, u.payload::text as payload, u.attempt::int as attempt,
              u.lease_token
  )
  select c.update_id, c.chat_id, c.payload, c.attempt, c.lease_token
  from claimed c
  order by c.update_id;
end
$$;

comment on function inbox.claim is
  'Leases up to p_limit updates for p_lease, of different chats: an update waits until the '
  'earlier ones of its chat are done. Then inbox.done or inbox.failed with lease_token.';

grant execute on function inbox.claim to atlas_bot, atlas_dba;
