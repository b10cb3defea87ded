-- Renews the lease of an export, notes how far it is, and says whether it goes on.
-- Locks: the ops.export row.
-- Raises: 22023, OP001.
create or replace function ops.keep_export(
  p_export_id bigint, p_lease_token uuid, p_lease interval, p_rows_read bigint)
returns table (goes_on boolean, outcome text, kept_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_export record;
begin
  perform core._guard();
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(p_lease between interval '1 second' and interval '1 hour',
                        'p_lease: 1 second to 1 hour');
  perform core._require(p_rows_read between 0 and 1000000000000, 'p_rows_read: 0 to 10^12');

  select e.finished_at is null as is_open, e.leased_until is not null as is_held,
         a.is_active as is_admin into v_export
  from ops.export e
  join account.admin a on a.telegram_id = e.admin_id
  where e.export_id = p_export_id and e.lease_token = p_lease_token
  for no key update of e;
  goes_on := found and v_export.is_open and v_export.is_held;
  v_now := core.now();
  if keep_export.goes_on and not v_export.is_admin then
    perform ops._end_export(p_export_id, 'refused', null);
    goes_on := false;
  elsif keep_export.goes_on then
    update ops.export e
    set leased_until = v_now + p_lease, rows_read = greatest(e.rows_sent, p_rows_read)
    where e.export_id = p_export_id;
  end if;

  return query
  select keep_export.goes_on,
         (select e.outcome::text from ops.export e
          where e.export_id = p_export_id and e.lease_token = p_lease_token),
         v_now;
end
$$;

comment on function ops.keep_export is
  'goes_on is false, and nothing more may be sent, once the export is over (outcome says how) or '
  'another worker has it (outcome is null). Who asked and is no admin any more gets nothing more: '
  'it ends as refused, which the audit has.';

grant execute on function ops.keep_export to atlas_worker, atlas_dba;
