-- Asks the admins for corporate access.
-- Locks: user.
-- Raises: CO002, US001, US002, ID001, 22023, OP001.
create or replace function account.request_corporate(
  p_telegram_id bigint, p_company text, p_contact text, p_idempotency_key text)
returns table (request_id bigint, requested_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_first record;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform account._require_words(p_company, 'p_company');
  perform account._require_words(p_contact, 'p_contact');
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);

  select c.request_id, c.company, c.contact, c.requested_at into v_first
  from account.corporate_request c
  where c.telegram_id = p_telegram_id and c.idempotency_key = p_idempotency_key;
  if found then
    if (v_first.company, v_first.contact) <> (p_company, p_contact) then
      perform core._refuse('ID001', format('request_id %s has the key', v_first.request_id));
    end if;
    return query select v_first.request_id, v_first.requested_at, true;
    return;
  elsif v_is_blocked then
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  elsif exists (select 1 from account.corporate_request c
                where c.telegram_id = p_telegram_id and c.closed_at is null) then
    perform core._refuse('CO002', format('telegram_id %s (corporate_request_one_open)',
                                         p_telegram_id));
  end if;

  insert into account.corporate_request (
    telegram_id, company, contact, idempotency_key, requested_at)
  values (p_telegram_id, p_company, p_contact, p_idempotency_key, core.now())
  returning request_id, requested_at into request_id, requested_at;
  perform audit._record('account.request_corporate', p_telegram_id, p_telegram_id::text,
                        jsonb_build_object('request_id', request_id));
  perform ops._tell_admins('corporate_requested', account._corporate_card(
    p_telegram_id, request_id));
  is_replay := false;
  return next;
end
$$;

comment on function account.request_corporate is
  'One open request per user; every admin gets a message with it and the user''s card. Idempotent '
  'by p_idempotency_key.';

grant execute on function account.request_corporate to atlas_bot, atlas_dba;
