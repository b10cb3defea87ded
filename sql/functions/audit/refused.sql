-- Records that somebody was refused for want of authority.
-- Locks: none.
-- Raises: 22023, OP001.
create or replace function audit.refused(
  p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard();
  perform core._require(length(p_action) between 1 and 119, 'p_action: 1 to 119 characters');
  perform core._require(p_subject_id is null or length(p_subject_id) <= 256,
                        'p_subject_id: null, or at most 256 characters');
  perform core._require(p_sqlstate ~ '^[A-Z0-9]{5}$', 'p_sqlstate: five characters A-Z, 0-9');

  perform audit._record('refused.' || p_action, p_actor_id, p_subject_id,
                        jsonb_build_object('sqlstate', p_sqlstate));
end
$$;

comment on function audit.refused is
  'A refusal changes nothing, so it cannot leave a trace itself: after US002, US003, PU001, WD001,'
  ' WD005 and CO001 the caller calls this in its next transaction.';

grant execute on function audit.refused to
  atlas_bot, atlas_payments, atlas_admin, atlas_worker, atlas_dba;
