-- Has everybody whose subscription is in force given a new VPN identity, and so a new key.
-- Locks: account.admin row (share).
-- Raises: VP003, US003, 22023, OP001, OP003.
create or replace function vpn.reissue_all(p_admin_id bigint, p_idempotency_key text)
returns table (request_id bigint, people bigint, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  v_now := core.now();

  insert into vpn.reissue_request (admin_id, idempotency_key, requested_at, expected)
  select p_admin_id, p_idempotency_key, v_now, p.people from vpn._people(v_now) p
  on conflict do nothing; -- the same key, or another request that is open
  reissue_all.is_replay := not found;

  select r.request_id, r.expected into v_first
  from vpn.reissue_request r
  where r.admin_id = p_admin_id and r.idempotency_key = p_idempotency_key;
  if not found then
    perform core._refuse('VP003', (
      select format('request %s since %s by %s', r.request_id, r.requested_at, r.admin_id)
      from vpn.reissue_request r
      order by r.request_id desc
      limit 1));
  elsif not reissue_all.is_replay then
    perform audit._record('vpn.reissue_all', p_admin_id, v_first.request_id::text,
                          jsonb_build_object('people', v_first.expected));
  end if;

  return query select v_first.request_id, v_first.expected, reissue_all.is_replay;
end
$$;

comment on function vpn.reissue_all is
  'After a node was compromised. The job vpn.reissue_due does it, a few at a time; keys that are '
  'bought meanwhile do not wait for it. One request is open at a time, of all admins. people: '
  'about how many it is for. vpn.show_reissue says how far it is. Idempotent by p_idempotency_key, '
  'which belongs to the admin.';

grant execute on function vpn.reissue_all to atlas_admin, atlas_dba;
