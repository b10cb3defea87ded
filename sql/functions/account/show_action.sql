-- What an admin has drafted.
-- Locks: none.
-- Raises: US003, US004, 22023.
create or replace function account.show_action(p_admin_id bigint, p_draft_id uuid)
returns table (
  draft_id uuid, action text, arguments jsonb, expires_at timestamptz, is_expired boolean,
  drafted_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);
  perform core._require(p_draft_id is not null, 'p_draft_id: the id from account.draft_action');

  return query
  select d.draft_id, d.action, d.arguments, d.expires_at, d.expires_at <= core.now(),
         d.drafted_at
  from account.draft d
  where d.admin_id = p_admin_id and d.draft_id = p_draft_id;
  if not found then
    perform core._refuse('US004', format('draft_id %s', p_draft_id));
  end if;
end
$$;

comment on function account.show_action is
  'An admin''s own draft; another admin''s is US004. Reads only.';

grant execute on function account.show_action to atlas_admin, atlas_dba;
