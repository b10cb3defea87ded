-- Reads a start payload: whose referral link it is, or why it binds nobody.
-- Locks: none.
-- Raises: nothing.
create or replace function account._find_referrer(
  p_telegram_id bigint, p_start_payload text, out referrer_id bigint, out bind_refusal text)
language plpgsql
stable
as $$
begin
  if p_start_payload is null or p_start_payload !~ '^ref_' then
    return;
  end if;

  select a.telegram_id into _find_referrer.referrer_id
  from account.account a
  where a.referral_code = substr(p_start_payload, 5);

  if _find_referrer.referrer_id is null then
    bind_refusal := 'unknown_code';
  elsif _find_referrer.referrer_id = p_telegram_id then
    _find_referrer.referrer_id := null;
    bind_refusal := 'self';
  end if;
end
$$;

comment on function account._find_referrer is 'Whose referral link a start payload is.';
