-- Finds whose withdrawal it is and locks its user.
-- Locks: user.
-- Raises: WD001.
create or replace function withdrawal._lock(p_withdrawal_id bigint)
returns bigint
language plpgsql
volatile
as $$
declare
  v_telegram_id bigint;
begin
  select w.telegram_id into v_telegram_id
  from withdrawal.withdrawal w
  where w.withdrawal_id = p_withdrawal_id;
  if not found then
    perform core._refuse('WD001', format('withdrawal_id %s', p_withdrawal_id));
  end if;

  perform account._lock(v_telegram_id);
  return v_telegram_id;
end
$$;

comment on function withdrawal._lock is
  'The user of a withdrawal, locked: for calls that bring only its id.';
