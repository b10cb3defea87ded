-- Queues the message that somebody came by the referrer's link.
-- Locks: none.
-- Raises: nothing.
create or replace function account._tell_referrer(
  p_telegram_id bigint, p_referrer_id bigint, p_now timestamptz)
returns void
language plpgsql
volatile
as $$
begin
  if p_referrer_id is not null then
    insert into outbox.task (telegram_id, kind, name, due_at, created_at)
    values (p_referrer_id, 'message', 'referral_joined', p_now, p_now);
    perform audit._record('account.register.bound', p_telegram_id, p_telegram_id::text,
                          jsonb_build_object('referrer_id', p_referrer_id));
  end if;
end
$$;

comment on function account._tell_referrer is
  'Queues referral_joined for the referrer, if there is one.';
