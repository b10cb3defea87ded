-- Notes how a VPN node is.
-- Locks: vpn.node row.
-- Raises: 22023, OP001.
create or replace function vpn.report_node(
  p_name text, p_is_up boolean, p_users int, p_error text)
returns table (name text, is_draining boolean)
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
  perform core._require(p_name ~ '^[a-z0-9][a-z0-9-]{0,31}$',
                        'p_name: 1 to 32 of a-z, 0-9 and -, not beginning with -');
  perform core._require(p_is_up is not null, 'p_is_up: true or false');
  perform core._require(p_users is null or p_users >= 0, 'p_users: null, or how many it counts');
  v_now := core.now();

  return query
  insert into vpn.node as n (name, is_up, users, reported_at, last_error)
  values (p_name, p_is_up, p_users, v_now, left(p_error, 1000))
  on conflict on constraint node_pkey do update
  set is_up = excluded.is_up, users = coalesce(excluded.users, n.users),
      reported_at = excluded.reported_at, last_error = excluded.last_error
  returning n.name, n.is_draining;
end
$$;

comment on function vpn.report_node is
  'By vpn.sync_nodes, for every node that the worker is configured with. What vpn.set_node said '
  'stays.';

grant execute on function vpn.report_node to atlas_worker, atlas_dba;
