-- Computes a wallet anew from the user's ledger rows.
-- Locks: user, wallet.
-- Raises: US001, 22023, OP001.
create or replace function ops.rebuild_wallet(p_telegram_id bigint)
returns table (
  telegram_id bigint, was_different boolean,
  available_before_kopecks bigint, held_before_kopecks bigint, debt_before_kopecks bigint,
  version_before bigint,
  available_kopecks bigint, held_kopecks bigint, debt_kopecks bigint, version bigint)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_before record;
  v_after record;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform account._lock(p_telegram_id);

  select w.available_kopecks::bigint, w.held_kopecks::bigint, w.debt_kopecks::bigint, w.version
  into v_before
  from wallet.wallet w where w.telegram_id = p_telegram_id;
  select coalesce(sum(t.amount_kopecks * ((t.credit_account = 'available')::int
                      - (t.debit_account = 'available')::int)), 0)::bigint as available_kopecks,
         coalesce(sum(t.amount_kopecks * ((t.credit_account = 'held')::int
                      - (t.debit_account = 'held')::int)), 0)::bigint as held_kopecks,
         coalesce(sum(t.amount_kopecks * ((t.debit_account = 'debt')::int
                      - (t.credit_account = 'debt')::int)), 0)::bigint as debt_kopecks,
         coalesce(max(t.version), 0) as version
  into strict v_after
  from ledger.transfer t where t.telegram_id = p_telegram_id;

  if v_before is distinct from v_after then
    insert into wallet.wallet as w (
      telegram_id, available_kopecks, held_kopecks, debt_kopecks, version)
    values (p_telegram_id, v_after.available_kopecks, v_after.held_kopecks, v_after.debt_kopecks,
            v_after.version)
    on conflict on constraint wallet_pkey do update
    set available_kopecks = excluded.available_kopecks, held_kopecks = excluded.held_kopecks,
        debt_kopecks = excluded.debt_kopecks, version = excluded.version;
    perform audit._record('ops.rebuild_wallet', null, p_telegram_id::text, jsonb_build_object(
      'before', to_jsonb(v_before), 'after', to_jsonb(v_after), 'by', session_user));
  end if;

  return query
  select p_telegram_id, v_before is distinct from v_after, v_before.available_kopecks,
         v_before.held_kopecks, v_before.debt_kopecks, v_before.version,
         v_after.available_kopecks, v_after.held_kopecks, v_after.debt_kopecks, v_after.version;
end
$$;

comment on function ops.rebuild_wallet is
  'The ledger''s movements are the truth. A wallet that differed is put right and the difference '
  'audited; otherwise nothing changes. Look at ops.reconcile() first: a broken chain of ledger '
  'rows is not mended by this. Safe to call again.';

grant execute on function ops.rebuild_wallet to atlas_dba;
