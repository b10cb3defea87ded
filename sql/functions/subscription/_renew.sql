-- Renews what is due, of users whose locks the caller holds.
-- Locks: subscription, wallet.
-- Raises: nothing.
create or replace function subscription._renew(
  p_users bigint[], p_now timestamptz, out renewed int, out declined int)
language plpgsql
volatile
as $$
declare
  v_renewed bigint[];
  v_purchases uuid[];
begin
  with plan as materialized (
    select r.*, gen_random_uuid() as purchase_id, nextval('outbox.task_id') as task_id
    from subscription._renewals(p_users, p_now) r
  ), charged as (
    update wallet.wallet w
    set available_kopecks = w.available_kopecks - p.price_kopecks,
        version = w.version + (p.price_kopecks > 0)::int
    from plan p
    where w.telegram_id = p.telegram_id and p.outcome = 'renew'
    returning w.telegram_id, w.version, w.available_kopecks, w.held_kopecks, w.debt_kopecks,
              p.price_kopecks, p.purchase_id
  ), booked as (
    insert into ledger.transfer (
      telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
      available_kopecks, held_kopecks, debt_kopecks, created_at, purchase_id)
    select c.telegram_id, c.version, 'available', 'revenue', 'purchase', c.price_kopecks,
           c.available_kopecks, c.held_kopecks, c.debt_kopecks, p_now, c.purchase_id
    from charged c where c.price_kopecks > 0
  ), bought as (
    insert into billing.purchase (
      telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind,
      discount_percent, price_kopecks, idempotency_key, opened_at, expires_at, closed_at,
      paid_with, before_tariff, before_expires_at, before_period, period_starts_at,
      after_expires_at, renews_expires_at, quoted_expires_at, available_after_kopecks,
      provision_task_id)
    select p.telegram_id, p.purchase_id, 'subscription', 'paid', p.tariff, p.months,
           p.list_kopecks, p.discount_kind, p.discount_percent, p.price_kopecks,
           'renewal:' || p.purchase_id, p_now, p_now, p_now,
           case when p.price_kopecks > 0 then 'balance' else 'free' end, p.before_tariff,
           p.before_expires_at, p.before_period, p.starts_at, p.expires_at, p.before_expires_at,
           p.expires_at, c.available_kopecks, p.task_id
    from plan p join charged c on c.telegram_id = p.telegram_id
  ), postponed as (
    update subscription.subscription s
    set renew_check_at = p.check_at,
        renew_declined_for = case p.outcome when 'decline' then s.expires_at
                                            else s.renew_declined_for end
    from plan p
    where s.telegram_id = p.telegram_id and p.outcome <> 'renew'
  ), told as (
    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, amount_kopecks, arguments)
    select p.telegram_id, 'message', 'renewal_declined', p_now, p_now, p.price_kopecks,
           jsonb_build_object('tariff', p.tariff, 'months', p.months,
                              'expires_at', p.before_expires_at)
    from plan p where p.outcome = 'decline' and not p.is_told
  )
  select array_agg(p.telegram_id) filter (where p.outcome = 'renew'),
         array_agg(p.purchase_id) filter (where p.outcome = 'renew'),
         (count(*) filter (where p.outcome = 'decline'))::int
  into v_renewed, v_purchases, _renew.declined
  from plan p;

  _renew.renewed := subscription._fulfil_renewals(v_renewed, v_purchases, p_now);
end
$$;

comment on function subscription._renew is
  'What ledger._post and billing._fulfil do for one purchase, for all that are due at once. The '
  'constraint purchase_renews_period_once has the last word on a second charge.';
