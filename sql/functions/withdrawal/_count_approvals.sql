-- Counts the approvals of a withdrawal by those who are admins now.
-- Locks: none.
-- Raises: nothing.
create or replace function withdrawal._count_approvals(
  p_telegram_id bigint, p_withdrawal_id bigint)
returns int
language plpgsql
stable
as $$
begin
  return (
    select count(*)::int
    from withdrawal.approval a
    join account.admin m on m.telegram_id = a.admin_id and m.is_active
    where a.telegram_id = p_telegram_id and a.withdrawal_id = p_withdrawal_id);
end
$$;

comment on function withdrawal._count_approvals is
  'An approval by somebody whose rights were taken away since counts no more.';
