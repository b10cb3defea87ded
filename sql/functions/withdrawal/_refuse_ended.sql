-- Says how a withdrawal ended that is not pending any more.
-- Locks: none.
-- Raises: WD002.
create or replace function withdrawal._refuse_ended(p_telegram_id bigint, p_withdrawal_id bigint)
returns void
language plpgsql
stable
as $$
declare
  v_detail text;
begin
  select format('withdrawal_id %s was %s by %s at %s', w.withdrawal_id, w.status, w.ended_by,
                w.ended_at)
  into v_detail
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.withdrawal_id = p_withdrawal_id;
  perform core._refuse('WD002', v_detail);
end
$$;

comment on function withdrawal._refuse_ended is 'Who ended it, and when, goes to DETAIL.';
