-- Finds what an earlier call with this key changed; refuses the key for anything else.
-- Locks: none.
-- Raises: ID001.
create or replace function subscription._find_change(
  p_telegram_id bigint, p_kind subscription.change_kind, p_idempotency_key text,
  p_actor_id bigint, p_tariff text, p_duration interval, p_reason text,
  p_is_told boolean,
  out is_found boolean, out expires_at timestamptz, out vpn_uuid uuid)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
  v_first record;
begin
  select c.change_id, c.actor_id, c.after_tariff, c.duration, c.reason, c.after_expires_at,
         c.vpn_uuid, c.is_told
  into v_first
  from subscription.change c
  where c.telegram_id = p_telegram_id and c.kind = p_kind
    and c.idempotency_key = p_idempotency_key;

  _find_change.is_found := found;
  if _find_change.is_found
     and ((v_first.actor_id, v_first.duration, v_first.reason, v_first.is_told)
            is distinct from (p_actor_id, p_duration, p_reason, p_is_told)
          or v_first.after_tariff <> p_tariff) then
    perform core._refuse('ID001', format('change_id %s has the key', v_first.change_id));
  end if;
  _find_change.expires_at := v_first.after_expires_at;
  _find_change.vpn_uuid := v_first.vpn_uuid;
end
$$;

comment on function subscription._find_change is
  'The first answer of the call that has this key. A null p_tariff is not compared.';
