-- What is to become of auto-renewals that are due, of users whose locks the caller holds.
-- Locks: none.
-- Raises: nothing.
create or replace function subscription._renewals(p_users bigint[], p_now timestamptz)
returns table (
  telegram_id bigint, outcome text, check_at timestamptz, is_told boolean, tariff text,
  months smallint, list_kopecks bigint, discount_kind billing.discount_kind,
  discount_percent int, price_kopecks bigint, before_tariff text, before_expires_at timestamptz,
  before_period subscription.period, starts_at timestamptz, expires_at timestamptz)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
  v_window interval := make_interval(secs => ops._setting_value('renewal_window_seconds'));
  v_vip_percent int := ops._setting_value('vip_discount_percent')::int;
begin
  return query
  with due as (
    select s.telegram_id, s.tariff, s.expires_at, s.period, s.renew_declined_for,
           s.expires_at - v_window as near_at, w.available_kopecks,
           s.auto_renew and s.expires_at > p_now and not a.is_blocked as is_wanted,
           case when a.is_vip then v_vip_percent else 0 end as vip,
           case when a.discount_expires_at <= p_now then 0
                else coalesce(a.discount_percent, 0)::int end as personal
    from subscription.subscription s
    join account.account a on a.telegram_id = s.telegram_id
    join wallet.wallet w on w.telegram_id = s.telegram_id
    where s.telegram_id = any (p_users) and s.renew_check_at <= p_now
  ), priced as (
    select d.*, u.tariff as plan_tariff, u.months, p.list_kopecks::bigint as list_kopecks,
           (p.list_kopecks * (100 - greatest(d.vip, d.personal)) + 50) / 100 as price_kopecks
    from due d
    left join lateral (
      select o.tariff, o.months from billing.purchase o
      where o.telegram_id = d.telegram_id and o.kind = 'subscription' and o.status = 'paid'
      order by o.provision_task_id desc limit 1) u on d.is_wanted and d.near_at <= p_now
    left join billing.tariff f on f.tariff = u.tariff and f.is_on_sale
    left join billing.tariff_price p on p.tariff = f.tariff and p.months = u.months
  ), decided as (
    select p.*, case when not p.is_wanted then 'stop'
                     when p.near_at > p_now then 'wait'
                     when p.plan_tariff is null or exists (
                       select 1 from billing.purchase o
                       where o.telegram_id = p.telegram_id
                         and o.renews_expires_at = p.expires_at) then 'stop'
                     when p.available_kopecks >= p.price_kopecks then 'renew'
                     else 'decline' end as outcome
    from priced p
  )
  select d.telegram_id::bigint, d.outcome,
         case d.outcome when 'wait' then d.near_at when 'renew' then e.expires_at - v_window end,
         coalesce(d.renew_declined_for = d.expires_at, false), d.plan_tariff, d.months,
         d.list_kopecks,
         case when greatest(d.vip, d.personal) = 0 then 'none' when d.vip >= d.personal then 'vip'
              else 'personal' end::billing.discount_kind,
         greatest(d.vip, d.personal), d.price_kopecks, d.tariff, d.expires_at, d.period,
         b.starts_at, e.expires_at
  from decided d
  left join lateral subscription._start_after(
    p_now, d.plan_tariff, d.tariff, d.expires_at, d.period) b (starts_at) on d.outcome = 'renew'
  left join lateral subscription._add_months(b.starts_at, d.months) e (expires_at) on true;
end
$$;

comment on function subscription._renewals is
  'outcome: wait (not near its end yet), stop (nothing to renew), renew, or decline (too little '
  'money, or the plan is no longer sold: price_kopecks is null). The price is as in billing._price,'
  ' without a promo code. check_at: when to look again. is_told: this end was declined before.';
