-- Stops giving everybody a new key; what was done stays.
-- Locks: account.admin row (share), the request's row.
-- Raises: VP004, US003, 22023, OP001, OP003.
create or replace function vpn.cancel_reissue(p_admin_id bigint, p_request_id bigint)
returns table (
  request_id bigint, status text, is_replay boolean, ended_by bigint, ended_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_request record;
  v_now timestamptz;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_request_id is not null, 'p_request_id: the id from reissue_all');
  perform account._require_admin(p_admin_id);
  select r.finished_at, r.cancelled_at, r.done into v_request
  from vpn.reissue_request r
  where r.request_id = p_request_id
  for no key update;
  if not found then
    perform core._refuse('VP004', format('request_id %s', p_request_id));
  end if;
  v_now := core.now();

  cancel_reissue.is_replay := coalesce(v_request.cancelled_at, v_request.finished_at) is not null;
  if not cancel_reissue.is_replay then
    update vpn.reissue_request r
    set cancelled_at = v_now, cancelled_by = p_admin_id
    where r.request_id = p_request_id;
    perform audit._record('vpn.cancel_reissue', p_admin_id, p_request_id::text,
                          jsonb_build_object('done', v_request.done));
  end if;

  return query
  select r.request_id, case when r.cancelled_at is null then 'done' else 'cancelled' end,
         cancel_reissue.is_replay, r.cancelled_by::bigint, coalesce(r.cancelled_at, r.finished_at)
  from vpn.reissue_request r
  where r.request_id = p_request_id;
end
$$;

comment on function vpn.cancel_reissue is
  'Several admins mind it: of one that has ended already it says how, by whom (null: it was done) '
  'and when, and is a replay. Keys that were promised still come.';

grant execute on function vpn.cancel_reissue to atlas_admin, atlas_dba;
