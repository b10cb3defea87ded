-- Leases the export that has waited longest.
-- Locks: the ops.export rows (skip locked).
-- Raises: 22023, OP001.
create or replace function ops.claim_export(p_holder text, p_lease interval)
returns table (
  export_id bigint, kind text, batch_id bigint, admin_id bigint, language text,
  requested_at timestamptz, expected_rows bigint, reached_id bigint, reached_version bigint,
  parts int, rows_sent bigint, attempt int, lease_token uuid, header text[], numbers text[])
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_next record;
begin
  perform core._guard();
  perform outbox._require_claim(p_holder, 1, p_lease);
  v_now := core.now();

  loop
    select e.export_id, e.attempt, a.is_active into v_next
    from ops.export e
    join account.admin a on a.telegram_id = e.admin_id
    where e.finished_at is null and e.due_at <= v_now
      and (e.leased_until is null or e.leased_until <= v_now)
    order by e.due_at, e.export_id
    limit 1
    for no key update of e skip locked;
    if not found then
      return;
    end if;
    exit when v_next.is_active and v_next.attempt < ops._setting_value('export_attempts');

    if v_next.is_active then
      perform ops._give_up_export(v_next.export_id, 'every attempt ended without an answer');
    else
      perform ops._end_export(v_next.export_id, 'refused', null);
    end if;
  end loop;

  update ops.export e
  set attempt = e.attempt + 1, holder = p_holder, lease_token = gen_random_uuid(),
      leased_until = v_now + p_lease, rows_read = e.rows_sent
  where e.export_id = v_next.export_id;

  return query
  select e.export_id, e.kind::text, e.batch_id, e.admin_id::bigint, a.language, e.requested_at,
         e.expected_rows, e.reached_id, e.reached_version, e.parts, e.rows_sent, e.attempt::int,
         e.lease_token, c.header, c.numbers
  from ops.export e
  join account.account a on a.telegram_id = e.admin_id
  cross join ops._export_columns(e.kind) c
  where e.export_id = v_next.export_id;
end
$$;

comment on function ops.claim_export is
  'Then ops.export_page from reached_id and reached_version on, ops.keep_export every few seconds '
  'and before anything is sent, ops.record_part after it; or ops.fail_export, ops.release_export. '
  'With none of them another worker goes on from the last part once the lease has run out. '
  'numbers: which columns of header are. Ends what is for nobody who is an admin, and what was '
  'attempted often enough. No rows: nothing is due.';

grant execute on function ops.claim_export to atlas_worker, atlas_dba;
