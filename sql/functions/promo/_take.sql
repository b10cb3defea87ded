-- Takes a use for a purchase, or says by SQLSTATE why there is none.
-- Locks: the number taken; the caller holds the user's lock and promo.use (row exclusive).
-- Raises: nothing.
create or replace function promo._take(
  p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamptz)
returns text
language plpgsql
volatile
as $$
declare
  v_max_uses int;
  v_per_user_limit int;
  v_uses bigint;
  v_use_no bigint;
  v_tries int := 0;
begin
  select c.max_uses, c.per_user_limit into v_max_uses, v_per_user_limit
  from promo.code c
  where c.promo_id = p_promo_id;
  if not found then
    return 'PR001';
  end if;

  select count(*) into v_uses
  from promo.use u
  where u.telegram_id = p_telegram_id and u.promo_id = p_promo_id;
  if v_uses >= v_per_user_limit then
    return promo._take_over(p_telegram_id, p_purchase_id, p_promo_id, p_now);
  end if;

  -- Any number will do, so buyers start apart. The insert waits for whoever is just taking the
  -- same number: if that comes to nothing, the number is ours.
  loop
    v_tries := v_tries + 1;
    if v_max_uses is null then
      v_use_no := nextval('promo.use_no');
    elsif v_tries <= 3 then
      v_use_no := nextval('promo.use_no') % v_max_uses + 1;
    else
      v_use_no := promo._next_free(p_promo_id, v_use_no, v_max_uses);
      if v_use_no is null then
        return 'PR003';
      end if;
    end if;

    insert into promo.use (promo_id, use_no, telegram_id, purchase_id, reserved_at)
    values (p_promo_id, v_use_no, p_telegram_id, p_purchase_id, p_now)
    on conflict on constraint use_pkey do nothing;
    exit when found;
  end loop;
  return null;
end
$$;

comment on function promo._take is
  'Takes a free number between 1 and max_uses, each of which the primary key gives out once. Who '
  'is at the own limit takes over the use of the own oldest open purchase instead. Null: taken; '
  'PR001, PR003 or PR005: why not.';
