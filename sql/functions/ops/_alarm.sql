-- Records an alarm and queues it for every admin.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._alarm(p_alarm text, p_subject text, p_detail text)
returns void
language plpgsql
volatile
as $$
begin
  perform audit._record('alarm.' || p_alarm, null, p_subject,
                        jsonb_build_object('detail', p_detail));
  perform ops._tell_admins('admin_alarm', jsonb_build_object(
    'alarm', p_alarm, 'subject', p_subject, 'detail', p_detail));
end
$$;

comment on function ops._alarm is 'Something an admin has to look at.';
