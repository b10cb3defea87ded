-- Takes back what a charge gave, because the provider took the money back.
-- Locks: user, billing.charge row, wallet.
-- Raises: PY001, 22023, 40001, OP001.
create or replace function billing.reverse_payment(
  p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb)
returns table (payment_id bigint, outcome text, debt_kopecks bigint, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_charge record;
  v_telegram_id bigint := 0;
  v_payment_id bigint;
  v_outcome billing.payment_outcome;
begin
  perform core._guard();
  perform core._require(length(p_charge_id) between 1 and 256, 'p_charge_id: 1 to 256 characters');
  perform core._require(p_amount_minor >= 1, 'p_amount_minor: 1 or more');
  perform core._require(length(p_currency) between 1 and 16, 'p_currency: 1 to 16 characters');
  perform billing._require_provider(p_provider);

  v_charge := billing._lock_charge(p_provider, p_charge_id);
  if v_charge.payment_id is null then
    v_payment_id := billing._reverse_unknown(p_provider, p_charge_id, p_amount_minor, p_currency,
                                             p_raw);
    if v_payment_id is null then -- it came meanwhile
      v_charge := billing._lock_charge(p_provider, p_charge_id);
    end if;
  end if;

  if v_charge.payment_id is not null then
    v_payment_id := v_charge.payment_id;
    v_telegram_id := v_charge.telegram_id;
    perform billing._alarm_if_amount_differs(p_provider, p_charge_id, p_amount_minor, p_currency);

    select p.outcome into strict v_outcome
    from billing.payment p
    where p.telegram_id = v_telegram_id and p.payment_id = v_payment_id;
    if v_outcome = 'suspense' then -- nobody has got anything for it
      update billing.payment p
      set outcome = 'reversed', reversed_at = core.now(), reversal_debt_kopecks = 0,
          reversal_raw = p_raw
      where p.telegram_id = v_telegram_id and p.payment_id = v_payment_id;
    elsif v_outcome <> 'reversed' then
      perform billing._reverse(v_telegram_id, v_payment_id, p_raw, core.now());
    end if;
  end if;

  if v_outcome is distinct from 'reversed' then
    perform audit._record('billing.reverse_payment', null, 'payment:' || v_payment_id,
                          jsonb_build_object('was', v_outcome, 'amount_minor', p_amount_minor,
                                             'currency', p_currency));
  end if;
  return query
  select p.payment_id, p.outcome::text, p.reversal_debt_kopecks,
         v_outcome is not distinct from 'reversed'
  from billing.payment p
  where p.telegram_id = v_telegram_id and p.payment_id = v_payment_id;
end
$$;

comment on function billing.reverse_payment is
  'A refund or chargeback by the provider; the whole charge is reversed, and the admins are told '
  'if the amount differs. What is not on the balance any more is debt. A charge that has not been '
  'heard of is noted: its payment then credits nothing. Its key is (provider, charge id): a repeat'
  ' is a replay.';

grant execute on function billing.reverse_payment to atlas_payments, atlas_dba;
