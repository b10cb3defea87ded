-- One thing that was given up.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.show_dead_letter(p_admin_id bigint, p_dead_id bigint)
returns table (
  dead_id bigint, job_name text, subject text, error text, died_at timestamptz, telegram_id bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(p_dead_id >= 1, 'p_dead_id: of a row in ops.dead_letter');
  perform account._only_admins(p_admin_id);

  return query
  select d.dead_id, d.job_name, d.subject, d.error, d.died_at,
         case d.job_name
           when 'inbox' then
             (select a.telegram_id::bigint from inbox.update u
              join account.account a on a.telegram_id = u.chat_id
              where u.update_id = substring(d.subject from '^update:([0-9]{1,18})$')::bigint)
           when 'notify.send' then ops._user_of_message(d.subject)
           when 'ops.send_exports' then
             (select e.admin_id::bigint from ops.export e
              where e.export_id = substring(d.subject from '^export:([0-9]{1,18})$')::bigint)
           else substring(d.subject from '^telegram_id:([0-9]{1,16})$')::bigint
         end
  from ops.dead d
  where d.dead_id = p_dead_id;
end
$$;

comment on function ops.show_dead_letter is
  'For admins only: no row once it was cleared. telegram_id: whom it is about, where that can be '
  'told. Reads only.';

grant execute on function ops.show_dead_letter to atlas_admin, atlas_dba;
