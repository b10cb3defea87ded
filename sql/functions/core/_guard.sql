-- Refuses a writing call at the wrong isolation level, or while its switch is off.
-- Locks: none.
-- Raises: OP001, OP003.
create or replace function core._guard(p_feature text default null)
returns void
language plpgsql
stable
as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    perform core._refuse('OP001', current_setting('transaction_isolation'));
  end if;

  if p_feature is not null
     and exists (select 1 from ops.feature f where f.name = p_feature and not f.is_on) then
    perform core._refuse('OP003', p_feature);
  end if;
end
$$;

comment on function core._guard is
  'First line of every function that writes: READ COMMITTED only, and only while its switch is on.';
