-- Refuses what cannot be a Telegram id.
-- Locks: none.
-- Raises: 22023.
create or replace function core._require_user_id(p_telegram_id bigint)
returns void
language plpgsql
stable
as $$
begin
  if (p_telegram_id between 1 and 4503599627370495) is not true then
    perform core._refuse('22023', 'p_telegram_id: 1 to 2^52 - 1');
  end if;
end
$$;

comment on function core._require_user_id is 'Refuses what cannot be a Telegram id.';
