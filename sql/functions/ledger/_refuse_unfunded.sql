-- Refuses a movement that a wallet cannot bear.
-- Locks: none; the caller holds the user's lock.
-- Raises: WA001.
create or replace function ledger._refuse_unfunded(p_telegram_id bigint, p_amount_kopecks bigint)
returns void
language plpgsql
stable
as $$
begin
  perform core._refuse('WA001', format(
    'telegram_id %s needs %s kopecks, %s are available (balance_not_negative)', p_telegram_id,
    p_amount_kopecks, (select w.available_kopecks from wallet.wallet w
                       where w.telegram_id = p_telegram_id)));
end
$$;

comment on function ledger._refuse_unfunded is
  'Says how much was needed and how much is there.';
