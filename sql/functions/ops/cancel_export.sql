-- Ends an export that is under way, for the admin who asked for it.
-- Locks: account.admin row (share), the ops.export row.
-- Raises: US003, 22023, OP001, OP003.
create or replace function ops.cancel_export(p_admin_id bigint, p_export_id bigint)
returns table (export_id bigint, is_cancelled boolean, outcome text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_open boolean;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_export_id >= 1, 'p_export_id: of a row in ops.list_exports');
  perform account._require_admin(p_admin_id);

  select e.finished_at is null into v_is_open
  from ops.export e
  where e.export_id = p_export_id and e.admin_id = p_admin_id
  for no key update;
  is_cancelled := found and v_is_open;
  if cancel_export.is_cancelled then
    perform ops._end_export(p_export_id, 'cancelled', p_admin_id);
  end if;

  return query
  select p_export_id, cancel_export.is_cancelled,
         (select e.outcome::text from ops.export e
          where e.export_id = p_export_id and e.admin_id = p_admin_id);
end
$$;

comment on function ops.cancel_export is
  'Nothing more is sent, but for a part that is on its way. is_cancelled is false where it is over '
  'already; outcome says how, and is null where the admin has no such export. Safe to call again.';

grant execute on function ops.cancel_export to atlas_admin, atlas_dba;
