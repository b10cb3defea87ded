-- Books money for a purchase that an admin has seen arrive.
-- Locks: account.admin row (share), user, promo.use (row exclusive) for a late purchase, wallet.
-- Raises: PU001, PU003, US003, 22023, OP001, OP003.
create or replace function billing.approve_manual(
  p_admin_id bigint, p_purchase_id uuid, p_amount_kopecks bigint, p_note text)
returns table (
  payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint,
  subscription_expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
  v_charge_id text := 'manual:' || p_purchase_id;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);

  select u.telegram_id into v_telegram_id
  from billing.purchase u where u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
  perform account._lock(v_telegram_id);

  select p.raw ->> 'admin' as admin_id, p.received_at into v_first
  from billing.charge c
  join billing.payment p on p.telegram_id = c.telegram_id and p.payment_id = c.payment_id
  where c.provider = 'manual' and c.charge_id = v_charge_id;
  if not found then
    perform audit._record(
      'billing.approve_manual', p_admin_id, 'purchase:' || p_purchase_id, jsonb_build_object(
        'telegram_id', v_telegram_id, 'amount_kopecks', p_amount_kopecks, 'note', p_note));
  elsif v_first.admin_id <> p_admin_id::text then
    perform core._refuse('PU003', format('purchase_id %s: approved by admin %s at %s',
                                         p_purchase_id, v_first.admin_id, v_first.received_at));
  end if;

  return query
  select s.payment_id, s.outcome, s.telegram_id, s.credited_kopecks, s.subscription_expires_at,
         s.is_replay
  from billing._settle('manual', v_charge_id, p_purchase_id, null, p_amount_kopecks, 'RUB',
                       jsonb_build_object('note', p_note, 'admin', p_admin_id)) s;
end
$$;

comment on function billing.approve_manual is
  'Money that came past the providers; otherwise as settle_payment, from the buyer. Once per '
  'purchase: the same admin''s second call is a replay, another''s is PU003.';

grant execute on function billing.approve_manual to atlas_admin, atlas_dba;
