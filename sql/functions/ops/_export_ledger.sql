-- The next rows of the ledger.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._export_ledger(
  p_after_id bigint, p_after_version bigint, p_cut pg_snapshot, p_limit int)
returns table (reached_id bigint, reached_version bigint, cells text[])
language sql
stable
as $$
  select t.telegram_id::bigint, t.version,
         case when pg_visible_in_snapshot(t.recorded_xid::text::xid8, p_cut) then array[
           t.transfer_id::text, t.telegram_id::text, t.version::text,
           ops._export_time(t.created_at), t.reason::text, t.debit_account::text,
           t.credit_account::text, t.amount_kopecks::text, t.available_kopecks::text,
           t.held_kopecks::text, t.debt_kopecks::text, coalesce(t.purchase_id::text, ''),
           coalesce(t.payment_id::text, ''), coalesce(t.withdrawal_id::text, ''),
           coalesce(t.actor_id::text, ''), coalesce(t.note, '')] end
  from ledger.transfer t
  where (t.telegram_id, t.version) > (p_after_id, p_after_version)
  order by t.telegram_id, t.version
  limit p_limit
$$;

comment on function ops._export_ledger is
  'Up to p_limit rows by user and version. cells is null for what was not committed at p_cut: '
  'however long the export takes, its rows are the books of one moment.';
