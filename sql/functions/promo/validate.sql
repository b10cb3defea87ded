-- Whether a user could use a promo code now.
-- Locks: none.
-- Raises: PR001, PR002, PR003, PR004, PR005, PR006, US001, 22023.
create or replace function promo.validate(p_telegram_id bigint, p_code text)
returns table (code text, discount_percent int, expires_at timestamptz, uses_left bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_code text;
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_code is not null, 'p_code: a promo code');
  v_code := promo._require_code(p_code);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select v_code, u.discount_percent, u.expires_at, u.uses_left
  from promo._usable(p_telegram_id, v_code, core.now()) u;
end
$$;

comment on function promo.validate is
  'Gives the code as it is kept, its discount, its end and the uses left (null: no limit), or says '
  'why this user cannot use it now. Reserves nothing: that is billing.open_purchase. Reads only.';

grant execute on function promo.validate to atlas_bot, atlas_admin, atlas_dba;
