-- Marks an activation as failed and tells the user and the admins.
-- Locks: subscription; the caller holds the user's lock.
-- Raises: nothing.
create or replace function vpn._give_up(
  p_telegram_id bigint, p_vpn_uuid uuid, p_purchase_id uuid, p_error text)
returns void
language plpgsql
volatile
as $$
declare
  v_now timestamptz := core.now();
begin
  update subscription.subscription s
  set activation = 'failed'
  where s.telegram_id = p_telegram_id and s.vpn_uuid = p_vpn_uuid;

  perform audit._record('vpn.activation_failed', null, p_telegram_id::text,
    jsonb_build_object('purchase_id', p_purchase_id, 'error', left(p_error, 500)));

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, arguments)
  select p_telegram_id, 'message'::outbox.kind, 'key_failed', v_now, v_now, p_purchase_id,
         null::jsonb
  union all
  select a.telegram_id, 'message', 'activation_failed', v_now, v_now, p_purchase_id,
         jsonb_build_object('telegram_id', p_telegram_id, 'error', left(p_error, 500))
  from account.admin a
  where a.is_active;
end
$$;

comment on function vpn._give_up is
  'After the last attempt: key_failed to the user, activation_failed to the admins.';
