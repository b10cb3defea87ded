-- Takes one's own withdrawal back while it is pending.
-- Locks: user, wallet.
-- Raises: WD001, WD002, US001, 22023, OP001.
create or replace function withdrawal.cancel(p_telegram_id bigint, p_withdrawal_id bigint)
returns table (withdrawal_id bigint, status text, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_status withdrawal.status;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from request');
  perform account._lock(p_telegram_id);

  select w.status into v_status
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.withdrawal_id = p_withdrawal_id;
  if not found then
    perform core._refuse('WD001', format('withdrawal_id %s', p_withdrawal_id));
  elsif v_status not in ('pending', 'cancelled') then
    perform withdrawal._refuse_ended(p_telegram_id, p_withdrawal_id);
  elsif v_status = 'pending' then
    perform withdrawal._end(p_telegram_id, p_withdrawal_id, 'cancelled', p_telegram_id, null,
                            null, core.now());
    perform audit._record('withdrawal.cancel', p_telegram_id, 'withdrawal:' || p_withdrawal_id);
  end if;

  return query select p_withdrawal_id, 'cancelled', v_status = 'cancelled';
end
$$;

comment on function withdrawal.cancel is
  'Gives the held amount back; possible for a blocked user too. Its own key: a second call is a '
  'replay.';

grant execute on function withdrawal.cancel to atlas_bot, atlas_dba;
