-- Refuses to change what is only ever added to.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._refuse_change()
returns trigger
language plpgsql
volatile
as $$
begin
  raise exception using
    errcode = 'insufficient_privilege',
    message = 'append-only',
    detail = format('%s of %I.%I', lower(tg_op), tg_table_schema, tg_table_name),
    hint = 'A mistake is put right by another row; what is sealed is checked by audit.verify.';
end
$$;

comment on function audit._refuse_change is
  'Against mistakes of the owner, who can disable the trigger: then audit.verify finds the change.';

create or replace trigger transfer_is_append_only
  before update or delete or truncate on ledger.transfer
  for each statement execute function audit._refuse_change();
create or replace trigger entry_is_append_only
  before update or delete or truncate on audit.entry
  for each statement execute function audit._refuse_change();
create or replace trigger batch_is_append_only
  before update or delete or truncate on audit.batch
  for each statement execute function audit._refuse_change();
