-- Switches a feature on or off.
-- Locks: account.admin row (share), ops.feature row.
-- Raises: US003, 22023, OP001.
create or replace function ops.set_feature(p_admin_id bigint, p_name text, p_is_on boolean)
returns table (name text, is_on boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_is_on is not null, 'p_is_on: true or false');
  perform core._require(exists (select 1 from ops.feature f where f.name = p_name),
                        'p_name: payments, provisioning, auto_renewal, workers, admin_actions, '
                        'withdrawals, trials or broadcasts');
  perform account._require_admin(p_admin_id);

  update ops.feature f set is_on = p_is_on where f.name = p_name and f.is_on <> p_is_on;
  if found then
    perform audit._record('ops.set_feature', p_admin_id, p_name,
                          jsonb_build_object('is_on', p_is_on));
  end if;

  return query select p_name, p_is_on;
end
$$;

comment on function ops.set_feature is
  'From the next call on, the functions behind a switch that is off refuse with OP003. Safe to '
  'call again.';

grant execute on function ops.set_feature to atlas_admin, atlas_dba;
