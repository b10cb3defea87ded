-- Whether a user could open a purchase with a code now, and how many uses are left.
-- Locks: none.
-- Raises: PR001, PR002, PR003, PR004, PR005.
create or replace function promo._usable(
  p_telegram_id bigint, p_code text, p_now timestamptz, out discount_percent int,
  out expires_at timestamptz, out uses_left bigint)
language plpgsql
stable
as $$
declare
  v_terms record;
  v_uses bigint;
  v_oldest_open uuid;
begin
  select t.promo_id, t.discount_percent, t.max_uses, t.per_user_limit, t.expires_at into v_terms
  from promo._terms(p_code, p_now) t;
  select count(*) into v_uses
  from promo.use u
  where u.telegram_id = p_telegram_id and u.promo_id = v_terms.promo_id;
  if v_uses >= v_terms.per_user_limit then
    v_oldest_open := promo._oldest_open(p_telegram_id, v_terms.promo_id); -- would be taken over
    if v_oldest_open is null then
      perform core._refuse('PR005', format('%s, telegram_id %s', p_code, p_telegram_id));
    end if;
  end if;

  if v_terms.max_uses is not null then
    select v_terms.max_uses - count(*) into _usable.uses_left
    from promo.use u
    where u.promo_id = v_terms.promo_id;
    if _usable.uses_left <= 0 and v_oldest_open is null then
      perform core._refuse('PR003', format('%s: %s uses', p_code, v_terms.max_uses));
    end if;
  end if;

  _usable.discount_percent := v_terms.discount_percent;
  _usable.expires_at := v_terms.expires_at;
end
$$;

comment on function promo._usable is
  'What promo.validate and billing.quote promise; a code that loses against another discount is '
  'held to it as well. uses_left is null for a code without a limit.';
