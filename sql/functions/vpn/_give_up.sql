-- Marks an activation as failed and tells the admins, and the user who has no key now.
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
  v_has_no_key boolean;
begin
  -- A key that was delivered stays good: only what came with this job is missing at the node.
  update subscription.subscription s
  set activation = 'failed'
  where s.telegram_id = p_telegram_id and s.vpn_uuid = p_vpn_uuid and s.activation <> 'active';
  v_has_no_key := found;

  perform audit._record('vpn.activation_failed', null, p_telegram_id::text,
    jsonb_build_object('purchase_id', p_purchase_id, 'error', left(p_error, 500)));

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, arguments)
  select p_telegram_id, 'message'::outbox.kind, 'key_failed', v_now, v_now, p_purchase_id,
         null::jsonb
  where v_has_no_key
  union all
  select a.telegram_id, 'message', 'activation_failed', v_now, v_now, p_purchase_id,
         jsonb_build_object('telegram_id', p_telegram_id, 'error', left(p_error, 500))
  from account.admin a
  where a.is_active;
end
$$;

comment on function vpn._give_up is
  'After the last attempt: activation_failed to the admins; key_failed to the user, unless the key '
  'works: then it stays active, and vpn.wanted_users keeps it.';
