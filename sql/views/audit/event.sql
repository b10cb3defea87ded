create or replace view audit.event as
select e.occurred_at, e.actor_id, e.action, e.subject_id, e.correlation_id, e.details
from audit.entry e
union all
select t.created_at, t.actor_id, 'ledger.' || t.reason, t.telegram_id::text, t.correlation_id,
       jsonb_strip_nulls(jsonb_build_object(
         'transfer_id', t.transfer_id, 'version', t.version, 'amount_kopecks', t.amount_kopecks,
         'debit_account', t.debit_account, 'credit_account', t.credit_account,
         'available_kopecks', t.available_kopecks, 'held_kopecks', t.held_kopecks,
         'debt_kopecks', t.debt_kopecks, 'purchase_id', t.purchase_id, 'payment_id', t.payment_id,
         'withdrawal_id', t.withdrawal_id, 'note', t.note, 'idempotency_key', t.idempotency_key))
from ledger.transfer t;

comment on view audit.event is
  'Everything that happened: audit entries, and every movement of money.';
comment on column audit.event.occurred_at is 'When.';
comment on column audit.event.actor_id is 'Who; null for the user, the system or the owner.';
comment on column audit.event.action is
  'What: a function, alarm.<name>, refused.<function>, ledger.<reason>.';
comment on column audit.event.subject_id is 'On whom or what.';
comment on column audit.event.correlation_id is 'Ties it to the update or event it came from.';
comment on column audit.event.details is 'The rest.';

grant select on audit.event to atlas_auditor, atlas_dba;
