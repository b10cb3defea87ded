-- Tells everybody of an incident above their screens, or ends it.
-- Locks: account.admin row (share).
-- Raises: US003, ID001, 22023, OP001, OP003.
create or replace function ops.set_incident(
  p_admin_id bigint, p_is_on boolean, p_text_ru text, p_text_en text, p_idempotency_key text)
returns table (incident_id bigint, is_on boolean, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_asked jsonb;
  v_last record;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_is_on is not null, 'p_is_on: true or false');
  perform core._require(coalesce(length(p_text_ru) between 1 and 1000, not p_is_on),
                        'p_text_ru: 1 to 1000 characters; null only to switch off');
  perform core._require(coalesce(length(p_text_en) between 1 and 1000, not p_is_on),
                        'p_text_en: 1 to 1000 characters; null only to switch off');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  v_asked := jsonb_build_object('is_on', p_is_on, 'text_ru', p_text_ru, 'text_en', p_text_en);

  select i.text_ru, i.text_en into v_last
  from ops.incident i
  order by i.incident_id desc
  limit 1;
  insert into ops.incident (is_on, text_ru, text_en, asked, set_at, set_by, idempotency_key)
  values (p_is_on, coalesce(p_text_ru, v_last.text_ru), coalesce(p_text_en, v_last.text_en),
          v_asked, core.now(), p_admin_id, p_idempotency_key)
  on conflict on constraint incident_key_once do nothing;
  set_incident.is_replay := not found;

  select i.incident_id, i.is_on, i.asked into strict v_first
  from ops.incident i
  where i.set_by = p_admin_id and i.idempotency_key = p_idempotency_key;
  if v_first.asked <> v_asked then
    perform core._refuse('ID001', format('incident_id %s has the key', v_first.incident_id));
  end if;
  if not set_incident.is_replay then
    perform audit._record('ops.set_incident', p_admin_id, v_first.incident_id::text, v_asked);
  end if;

  return query select v_first.incident_id, v_first.is_on, set_incident.is_replay;
end
$$;

comment on function ops.set_incident is
  'p_is_on false ends it; null texts then keep what was written, for the next time. People see it '
  'within five seconds (ops.incident). Of two admins at once the later one counts. Idempotent by '
  'p_idempotency_key, which belongs to the admin.';

grant execute on function ops.set_incident to atlas_admin, atlas_dba;
