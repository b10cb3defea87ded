-- All that an admin sees of a user at a glance.
-- Locks: none.
-- Raises: US001, US003, 22023.
create or replace function account.card(p_admin_id bigint, p_telegram_id bigint)
returns table (
  telegram_id bigint, username text, language text, registered_at timestamptz,
  is_reachable boolean, is_admin boolean, is_blocked boolean, blocked_at timestamptz,
  blocked_reason text, is_vip boolean, personal_percent int, personal_expires_at timestamptz,
  discount_percent int, available_kopecks bigint, held_kopecks bigint, debt_kopecks bigint,
  status text, tariff text, expires_at timestamptz, auto_renew boolean, activation text,
  referrer_id bigint, invited bigint, paying bigint, earned_kopecks bigint, purchases bigint,
  spent_kopecks bigint, last_tariff text, last_months int, last_kopecks bigint,
  last_paid_at timestamptz, last_paid_with text, payment_provider text,
  payment_kopecks bigint, payment_outcome text, payment_at timestamptz, withdrawal_id bigint,
  withdrawal_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform account._only_admins(p_admin_id);

  return query
  select a.telegram_id::bigint, a.username, a.language, a.registered_at, a.is_reachable,
         exists (select 1 from account.admin m
                 where m.telegram_id = a.telegram_id and m.is_active),
         a.is_blocked, a.blocked_at, a.blocked_reason, a.is_vip,
         d.percent::int, case when d.percent is not null then a.discount_expires_at end,
         account._discount_percent(a.telegram_id, v_now),
         w.available_kopecks::bigint, w.held_kopecks::bigint, w.debt_kopecks::bigint,
         s.status, s.tariff, s.expires_at, s.auto_renew, s.activation,
         a.referrer_id::bigint, r.invited, r.paying, r.earned_kopecks, b.purchases, b.spent::bigint,
         l.tariff, l.months::int, l.price_kopecks::bigint, l.closed_at, l.paid_with,
         p.provider, p.worth_kopecks, p.outcome::text, p.received_at,
         h.withdrawal_id, h.amount_kopecks::bigint
  from account.account a
  join wallet.wallet w on w.telegram_id = a.telegram_id
  cross join lateral subscription.current(a.telegram_id) s
  cross join lateral referral.stats(a.telegram_id) r
  cross join lateral (
    select case when a.discount_expires_at <= v_now then null else a.discount_percent end
      as percent) d
  cross join lateral (
    select count(*) as purchases, coalesce(sum(o.price_kopecks), 0) as spent
    from billing.purchase o
    where o.telegram_id = a.telegram_id and o.kind = 'subscription' and o.status = 'paid') b
  left join lateral (
    select o.tariff, o.months, o.price_kopecks, o.closed_at, o.paid_with
    from billing.purchase o
    where o.telegram_id = a.telegram_id and o.kind = 'subscription' and o.status = 'paid'
    order by o.closed_at desc limit 1) l on true
  left join lateral (
    select o.provider, o.worth_kopecks, o.outcome, o.received_at
    from billing.payment o
    where o.telegram_id = a.telegram_id
    order by o.payment_id desc limit 1) p on true
  left join withdrawal.withdrawal h on h.telegram_id = a.telegram_id and h.status = 'pending'
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function account.card is
  'For admins: rights, discounts, balance, subscription, referrals, paid subscriptions (how many, '
  'their price, the last), the last payment by a provider and the pending withdrawal. Reads that '
  'user''s own rows only.';

grant execute on function account.card to atlas_admin, atlas_dba;
