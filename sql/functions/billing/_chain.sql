-- What has made a user's subscription, in order, without what a restored state has undone.
-- Locks: none; the caller holds the user's lock.
-- Raises: nothing.
create or replace function billing._chain(p_telegram_id bigint)
returns table (
  place bigint, purchase_id uuid, is_purchase boolean, happened_at timestamptz,
  before_tariff text, before_expires_at timestamptz, before_period subscription.period,
  after_tariff text, bought interval, taken_back_at bigint, is_undone boolean)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
  return query
  select e.*
  from (
    select u.provision_task_id, u.purchase_id, true, u.closed_at, u.before_tariff,
           u.before_expires_at, u.before_period, u.tariff, u.after_expires_at - u.period_starts_at,
           r.change_id, u.status = 'refunded'
    from billing.purchase u
    left join billing.refund r
      on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
    where u.telegram_id = p_telegram_id and u.kind = 'subscription'
      and u.status in ('paid', 'refunded')
    union all
    select c.change_id, c.purchase_id, false, c.changed_at, c.before_tariff,
           c.before_expires_at, c.before_period, c.after_tariff, null, null,
           c.kind in ('refund', 'reversal', 'reissue')
    from subscription.change c
    where c.telegram_id = p_telegram_id
  ) e (place)
  where not exists (
    select 1 from billing.refund r
    where r.telegram_id = p_telegram_id and e.place between r.restored_from and r.change_id);
end
$$;

comment on function billing._chain is
  'Purchases and changes with the state before them. bought: how long a purchase''s period is. '
  'is_undone: a purchase that was taken back, the change that did it, or a reissue, which changes '
  'no time.';
