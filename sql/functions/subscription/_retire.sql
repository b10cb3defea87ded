-- Promises that the node loses the identity that the subscription has now.
-- Locks: none; the caller holds the user's lock.
-- Raises: nothing.
create or replace function subscription._retire(
  p_telegram_id bigint, p_now timestamptz, p_request_id bigint default null)
returns void
language plpgsql
volatile
as $$
begin
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid, other_id)
  select s.telegram_id, 'provision', 'remove', p_now, p_now, s.vpn_uuid, p_request_id
  from subscription.subscription s
  where s.telegram_id = p_telegram_id and s.activation <> 'none';
end
$$;

comment on function subscription._retire is
  'Before a row gets another identity or ends. Nothing to do once subscription.expire_due has been '
  'there: activation is none. p_request_id: of vpn.reissue_request, if it is for everybody.';
