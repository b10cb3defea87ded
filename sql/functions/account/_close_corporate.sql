-- Closes a request for corporate access; true if the same person had done so already.
-- Locks: user.
-- Raises: CO001, CO003, US001.
create or replace function account._close_corporate(
  p_telegram_id bigint, p_request_id bigint, p_closed_by bigint, p_action text)
returns boolean
language plpgsql
volatile
as $$
declare
  v_closed record;
begin
  perform account._lock(p_telegram_id);
  select c.closed_at, c.closed_by into v_closed
  from account.corporate_request c
  where c.telegram_id = p_telegram_id and c.request_id = p_request_id;
  if not found then
    perform core._refuse('CO001', format('request_id %s', p_request_id));
  elsif v_closed.closed_by = p_closed_by then
    return true;
  elsif v_closed.closed_at is not null then
    perform core._refuse('CO003', format('request_id %s was closed by %s at %s', p_request_id,
                                         v_closed.closed_by, v_closed.closed_at));
  end if;

  update account.corporate_request c
  set closed_at = core.now(), closed_by = p_closed_by
  where c.telegram_id = p_telegram_id and c.request_id = p_request_id;
  perform audit._record(p_action, p_closed_by, p_telegram_id::text,
                        jsonb_build_object('request_id', p_request_id));
  return false;
end
$$;

comment on function account._close_corporate is 'By the user, or by an admin.';
