-- Queues the reminders that are due, of users whose locks the caller holds.
-- Locks: subscription.
-- Raises: nothing.
create or replace function notify._remind(p_users bigint[], p_now timestamptz)
returns int
language plpgsql
volatile
as $$
declare
  v_tolerance interval := make_interval(secs => ops._setting_value('reminder_tolerance_seconds'));
  v_enqueued int;
begin
  with due as materialized (
    select s.telegram_id, s.tariff, s.expires_at, r.template, r.last_at, r.next_at
    from subscription.subscription s
    cross join lateral (
      select max(t.at) filter (where t.at <= p_now) as last_at,
             (array_agg(m.template order by t.at desc) filter (where t.at <= p_now))[1]
               as template,
             min(t.at) filter (where t.at > p_now) as next_at
      from notify.reminder m
      cross join lateral (
        select case m.anchor
                 when 'start' then s.started_at + make_interval(secs => m.offset_seconds)
                 else s.expires_at - make_interval(secs => m.offset_seconds) end) t (at)
      where m.period = s.period
        and extract(epoch from s.expires_at - s.started_at) > m.longer_than_seconds
        and extract(epoch from s.expires_at - s.started_at) <= m.at_most_seconds
        and t.at > s.started_at and t.at < s.expires_at and t.at >= s.reminder_check_at) r
    where s.telegram_id = any (p_users) and s.reminder_check_at <= p_now
  ), looked_at as (
    update subscription.subscription s
    set reminder_check_at = d.next_at
    from due d
    where s.telegram_id = d.telegram_id
  ), told as (
    insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
    select d.telegram_id, 'message', d.template, p_now, p_now,
           jsonb_build_object('tariff', d.tariff, 'expires_at', d.expires_at)
    from due d
    where d.last_at >= p_now - v_tolerance and d.expires_at > p_now
    returning 1
  )
  select count(*)::int into v_enqueued from told;
  return v_enqueued;
end
$$;

comment on function notify._remind is
  'Reminders between reminder_check_at and now are dealt with: the latest is sent unless it is '
  'later than the setting reminder_tolerance_seconds, the others are dropped. Then '
  'reminder_check_at is the next one after now: each is seen once, whoever looks.';
