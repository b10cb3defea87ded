-- Lists what the transactions of a range wrote, with the hash of each row.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._rows(p_from_xid bigint, p_to_xid bigint)
returns table (recorded_xid bigint, row_id text, row_hash bytea)
language sql
stable
as $$
  select t.recorded_xid, 'transfer:' || t.telegram_id || '/' || t.version,
         sha256(decode('01', 'hex') || audit._field('transfer')
           || audit._field(t.telegram_id::text) || audit._field(t.version::text)
           || audit._field(t.transfer_id::text) || audit._field(t.debit_account::text)
           || audit._field(t.credit_account::text) || audit._field(t.reason::text)
           || audit._field(t.amount_kopecks::text) || audit._field(t.available_kopecks::text)
           || audit._field(t.held_kopecks::text) || audit._field(t.debt_kopecks::text)
           || audit._field(audit._moment(t.created_at)) || audit._field(t.recorded_xid::text)
           || audit._field(t.purchase_id::text) || audit._field(t.payment_id::text)
           || audit._field(t.withdrawal_id::text) || audit._field(t.actor_id::text)
           || audit._field(t.note) || audit._field(t.idempotency_key)
           || audit._field(t.correlation_id))
  from ledger.transfer t
  where t.recorded_xid >= p_from_xid and t.recorded_xid < p_to_xid
  union all
  select e.recorded_xid, 'entry:' || e.entry_id,
         sha256(decode('01', 'hex') || audit._field('entry')
           || audit._field(e.entry_id::text) || audit._field(audit._moment(e.occurred_at))
           || audit._field(e.actor_id::text) || audit._field(e.action)
           || audit._field(e.subject_id) || audit._field(e.details::text)
           || audit._field(e.recorded_xid::text) || audit._field(e.correlation_id))
  from audit.entry e
  where e.recorded_xid >= p_from_xid and e.recorded_xid < p_to_xid
$$;

comment on function audit._rows is
  'Ledger rows and audit entries by recorded_xid (BRIN). The hash is SHA-256 of the canonical '
  'form: a version byte 01, then the kind and every column in the order of the table, each framed '
  'by audit._field. Another form needs another version byte.';
