-- Asks for a file of all rows of a kind, or joins the one that is under way.
-- Locks: account.admin row (share), the ops.export row.
-- Raises: PR001, US003, ID001, 22023, OP001, OP003.
create or replace function ops.request_export(
  p_admin_id bigint, p_kind text, p_batch_id bigint, p_idempotency_key text)
returns table (export_id bigint, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_first record;
  v_export_id bigint;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_kind in ('users', 'subscriptions', 'ledger', 'promo_batch'),
                        'p_kind: users, subscriptions, ledger or promo_batch');
  perform core._require((p_kind = 'promo_batch') = (p_batch_id is not null),
                        'p_batch_id: the batch of a promo_batch, else null');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  if p_batch_id is not null
     and not exists (select 1 from promo.batch b where b.batch_id = p_batch_id) then
    perform core._refuse('PR001', format('batch_id %s', p_batch_id));
  end if;

  if not exists (
    select 1 from ops.export_request r
    where r.admin_id = p_admin_id and r.idempotency_key = p_idempotency_key) then
    v_export_id := ops._open_export(p_admin_id, p_kind::ops.export_kind, p_batch_id);
    is_replay := exists (select 1 from ops.export_request r where r.export_id = v_export_id);
    insert into ops.export_request (admin_id, idempotency_key, export_id)
    values (p_admin_id, p_idempotency_key, v_export_id)
    on conflict on constraint export_request_pkey do nothing;
  end if;

  select e.export_id, e.kind::text, e.batch_id, e.expected_rows into v_first
  from ops.export_request r
  join ops.export e on e.export_id = r.export_id
  where r.admin_id = p_admin_id and r.idempotency_key = p_idempotency_key;
  if (v_first.kind, v_first.batch_id) is distinct from (p_kind, p_batch_id) then
    perform core._refuse('ID001', format('export %s has the key', v_first.export_id));
  end if;
  if request_export.is_replay is false then
    perform audit._record('ops.request_export', p_admin_id, v_first.export_id::text,
      jsonb_build_object('kind', p_kind, 'batch_id', p_batch_id,
                         'expected_rows', v_first.expected_rows));
  end if;

  return query select v_first.export_id, coalesce(request_export.is_replay, true);
end
$$;

comment on function ops.request_export is
  'The worker reads it and sends it to the admin in the chat, in as many parts as it takes. While '
  'the admin''s export of the same kind (and batch) is under way, that one is the answer '
  '(is_replay). Idempotent by p_idempotency_key, which belongs to the admin.';

grant execute on function ops.request_export to atlas_admin, atlas_dba;
