-- Counts an attempt at an export that failed; the last one gives up.
-- Locks: the ops.export row.
-- Raises: 22023, OP001.
create or replace function ops.fail_export(
  p_export_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean)
returns table (is_recorded boolean, next_attempt_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_export record;
begin
  perform core._guard();
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_is_unreachable is not null, 'p_is_unreachable: true or false');

  select e.attempt, e.finished_at is null and e.leased_until is not null as is_held into v_export
  from ops.export e
  where e.export_id = p_export_id and e.lease_token = p_lease_token
  for no key update;
  is_recorded := found;
  if fail_export.is_recorded and v_export.is_held then
    if p_is_unreachable then
      perform ops._end_export(p_export_id, 'unreachable', null, p_error);
    elsif v_export.attempt >= ops._setting_value('export_attempts') then
      perform ops._give_up_export(p_export_id, p_error);
    else
      perform ops._put_back_export(
        p_export_id, p_error, make_interval(secs => least(15 * 2 ^ v_export.attempt, 600)), 0);
    end if;
  end if;

  return query
  select fail_export.is_recorded,
         (select e.due_at from ops.export e
          where e.export_id = p_export_id and e.lease_token = p_lease_token
            and e.finished_at is null);
end
$$;

comment on function ops.fail_export is
  'Unreachable: the admin has blocked the bot, which ends it. Else it is tried again from the last '
  'part on with backoff, 5 times in a row (setting export_attempts); then it is a dead letter. '
  'is_recorded is false when the lease was lost. Safe to call again.';

grant execute on function ops.fail_export to atlas_worker, atlas_dba;
