-- What start_trial would refuse a user for now; null if it would not.
-- Locks: none.
-- Raises: nothing.
create or replace function subscription._trial_refusal(p_telegram_id bigint, p_now timestamptz)
returns text
language sql
stable
as $$
  select case
    when exists (select 1 from ops.feature f where f.name = 'trials' and not f.is_on) then 'OP003'
    when a.is_blocked then 'US002'
    when exists (select 1 from subscription.change c
                 where c.telegram_id = a.telegram_id and c.kind = 'trial') then 'SU002'
    when exists (select 1 from subscription.subscription s
                 where s.telegram_id = a.telegram_id and s.expires_at > p_now) then 'SU003'
  end
  from account.account a
  where a.telegram_id = p_telegram_id
$$;

comment on function subscription._trial_refusal is
  'The SQLSTATE, without the user''s lock: for screens only. Three looks into indexes.';
