-- Gives an export back uncounted: it was not its fault that it does not go on.
-- Locks: the ops.export row.
-- Raises: 22023, OP001.
create or replace function ops.release_export(
  p_export_id bigint, p_lease_token uuid, p_error text, p_wait interval)
returns table (is_recorded boolean, next_attempt_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_held boolean;
begin
  perform core._guard();
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_wait between interval '0' and interval '1 day', 'p_wait: 0 to 1 day');

  select e.finished_at is null and e.leased_until is not null into v_is_held
  from ops.export e
  where e.export_id = p_export_id and e.lease_token = p_lease_token
  for no key update;
  is_recorded := found;
  if release_export.is_recorded and v_is_held then
    perform ops._put_back_export(p_export_id, p_error, p_wait, 1);
  end if;

  return query
  select release_export.is_recorded,
         (select e.due_at from ops.export e
          where e.export_id = p_export_id and e.lease_token = p_lease_token
            and e.finished_at is null);
end
$$;

comment on function ops.release_export is
  'The process stops, its time is over, or Telegram told everybody to wait. The attempt is not '
  'counted, however often that happens; due again after p_wait. is_recorded is false when the '
  'lease was lost. Safe to call again.';

grant execute on function ops.release_export to atlas_worker, atlas_dba;
