-- What renewing a user's subscription would buy, and for how much.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function subscription.renewal(p_telegram_id bigint)
returns table (
  auto_renew boolean, expires_at timestamptz, renews_at timestamptz, tariff text, months int,
  list_kopecks bigint, discount_percent int, price_kopecks bigint, is_sold boolean,
  available_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
  v_window interval := make_interval(secs => ops._setting_value('renewal_window_seconds'));
  v_percent int := account._discount_percent(p_telegram_id, v_now);
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select coalesce(s.auto_renew, false), s.expires_at, s.expires_at - v_window, u.tariff,
         u.months::int, p.list_kopecks::bigint, v_percent,
         (p.list_kopecks * (100 - v_percent) + 50) / 100, p.list_kopecks is not null,
         w.available_kopecks::bigint
  from wallet.wallet w
  left join subscription.subscription s
    on s.telegram_id = w.telegram_id and s.expires_at > v_now
  left join lateral (
    select o.tariff, o.months from billing.purchase o
    where o.telegram_id = w.telegram_id and o.kind = 'subscription' and o.status = 'paid'
    order by o.provision_task_id desc limit 1) u on true
  left join billing.tariff f on f.tariff = u.tariff and f.is_on_sale
  left join billing.tariff_price p on p.tariff = f.tariff and p.months = u.months
  where w.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function subscription.renewal is
  'The plan of the last purchase at the price of now, as auto-renewal would take it: without a '
  'promo code. tariff is null where nothing was bought yet, and prices where it is no longer sold '
  '(is_sold false). expires_at and renews_at (when auto-renewal begins to try) are null where '
  'nothing is in force. Reads only.';

grant execute on function subscription.renewal to atlas_bot, atlas_admin, atlas_dba;
