-- Reconciles the uses of promo codes with the codes' limits and with the purchases.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_promo()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  select 'promo_use_within_limit', 'promo_use:' || u.promo_id || '/' || u.use_no,
         format('code %s, limit %s', c.code, c.max_uses)
  from promo.use u
  left join promo.code c on c.promo_id = u.promo_id
  where c.promo_id is null or u.use_no < 1 or u.use_no > c.max_uses
  union all
  select 'promo_user_within_limit', 'promo:' || u.promo_id || ' telegram_id:' || u.telegram_id,
         format('%s uses, limit %s', count(*), c.per_user_limit)
  from promo.use u
  join promo.code c on c.promo_id = u.promo_id
  group by u.promo_id, u.telegram_id, c.per_user_limit
  having count(*) > c.per_user_limit
  union all
  select 'promo_use_has_purchase', 'promo_use:' || u.promo_id || '/' || u.use_no,
         format('purchase %s of telegram_id %s is %s', u.purchase_id, u.telegram_id,
                coalesce(b.status::text, 'not there'))
  from promo.use u
  left join billing.purchase b
    on b.telegram_id = u.telegram_id and b.purchase_id = u.purchase_id
   and b.promo_id = u.promo_id
  where (b.status in ('open', 'paid', 'refunded')) is not true
  union all
  select 'promo_purchase_has_one_use', 'purchase:' || b.purchase_id,
         format('%s, promo_id %s, %s uses', b.status, b.promo_id, count(u.use_no))
  from billing.purchase b
  left join promo.use u
    on u.telegram_id = b.telegram_id and u.purchase_id = b.purchase_id
   and u.promo_id = b.promo_id
  where b.promo_id is not null and b.status in ('open', 'paid', 'refunded')
  group by b.telegram_id, b.purchase_id
  having count(u.use_no) <> 1
  union all
  select 'promo_discount_has_code', 'purchase:' || b.purchase_id,
         format('discount %s, promo_id %s, code %s', b.discount_kind, b.promo_id, b.promo_code)
  from billing.purchase b
  where (b.discount_kind = 'promo') <> (b.promo_id is not null)
     or (b.promo_id is not null and b.promo_code is null)
$$;

comment on function ops._reconcile_promo is
  'Checks promo_use_within_limit, promo_user_within_limit, promo_use_has_purchase, '
  'promo_purchase_has_one_use (a purchase whose late payment found no use left stays expired or '
  'cancelled and has none), promo_discount_has_code.';
