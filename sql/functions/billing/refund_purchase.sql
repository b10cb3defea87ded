-- Gives a subscription purchase back: the whole price to the balance, the period away.
-- Locks: account.admin row (share), user, wallet.
-- Raises: PU001, PU003, US003, 22023, OP001, OP003.
create or replace function billing.refund_purchase(
  p_admin_id bigint, p_purchase_id uuid, p_reason text)
returns table (
  purchase_id uuid, refunded_kopecks bigint, subscription_expires_at timestamptz,
  is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
  v_price_kopecks bigint;
  v_now timestamptz;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);

  select u.telegram_id into v_telegram_id
  from billing.purchase u where u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
  perform account._lock(v_telegram_id);
  v_now := core.now();

  return query
  select r.purchase_id, r.refunded_kopecks::bigint, r.subscription_expires_at, true
  from billing.refund r
  where r.telegram_id = v_telegram_id and r.purchase_id = p_purchase_id
    and r.actor_id = p_admin_id;
  if found then
    return;
  end if;

  v_price_kopecks := billing._require_paid(v_telegram_id, p_purchase_id);
  if v_price_kopecks > 0 then
    perform ledger._post(
      v_telegram_id, 'refund', 'revenue', 'available', v_price_kopecks, v_now,
      p_purchase_id => p_purchase_id, p_actor_id => p_admin_id, p_note => p_reason);
  end if;
  subscription_expires_at := billing._take_back(
    v_telegram_id, p_purchase_id, 'refund', v_price_kopecks, p_admin_id, p_reason, v_now);

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks)
  values (v_telegram_id, 'message', 'refunded', v_now, v_now, p_purchase_id, v_price_kopecks);
  perform audit._record(
    'billing.refund_purchase', p_admin_id, 'purchase:' || p_purchase_id, jsonb_build_object(
      'telegram_id', v_telegram_id, 'refunded_kopecks', v_price_kopecks, 'reason', p_reason));

  return query select p_purchase_id, v_price_kopecks, subscription_expires_at, false;
end
$$;

comment on function billing.refund_purchase is
  'The latest purchase''s refund restores the subscription as it was before it; an earlier one''s '
  'takes its period off the end. Auto-renewal stops, cashback is clawed back, no promo use comes '
  'back. Its own key: the same admin''s second call is a replay, another''s is PU003. Top-ups have'
  ' nothing to give back (PU003).';

grant execute on function billing.refund_purchase to atlas_admin, atlas_dba;
