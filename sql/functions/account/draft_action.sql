-- Keeps what an admin is about to do until it is confirmed.
-- Locks: account.admin row (share).
-- Raises: US003, ID001, 22023, OP001, OP003.
create or replace function account.draft_action(
  p_admin_id bigint, p_action text, p_arguments jsonb, p_idempotency_key text)
returns table (draft_id uuid, expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_action ~ '^[a-z_]{1,64}$', 'p_action: a-z and _, 1 to 64 characters');
  perform core._require(
    jsonb_typeof(p_arguments) = 'object' and length(p_arguments::text) <= 20000,
    'p_arguments: an object of at most 20000 characters');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  v_now := core.now();

  insert into account.draft (
    admin_id, draft_id, action, arguments, idempotency_key, drafted_at, expires_at)
  values (p_admin_id, gen_random_uuid(), p_action, p_arguments, p_idempotency_key, v_now,
          v_now + make_interval(secs => ops._setting_value('action_draft_seconds')))
  on conflict on constraint draft_key_once do nothing;
  draft_action.is_replay := not found;

  select d.draft_id, d.expires_at, d.action, d.arguments into v_first
  from account.draft d
  where d.admin_id = p_admin_id and d.idempotency_key = p_idempotency_key;
  if v_first.action <> p_action or v_first.arguments <> p_arguments then
    perform core._refuse('ID001', format('draft_id %s has the key', v_first.draft_id));
  end if;
  if not draft_action.is_replay then
    perform audit._record('account.draft_action', p_admin_id, v_first.draft_id::text,
                          jsonb_build_object('action', p_action));
  end if;

  return query select v_first.draft_id, v_first.expires_at, draft_action.is_replay;
end
$$;

comment on function account.draft_action is
  'For confirm screens: the button carries draft_id, and what is done is read from the draft. '
  'Does nothing yet. It can be confirmed for 15 minutes (setting action_draft_seconds). The '
  'action itself takes a key made of the draft''s id, so that it happens once. Idempotent by '
  'p_idempotency_key.';

grant execute on function account.draft_action to atlas_admin, atlas_dba;
