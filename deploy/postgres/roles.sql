-- Roles of Atlas Secure and the grants on the database this runs in. Safe to run again.
-- Run by a superuser (or a role with CREATEROLE that owns the database), once per database, before migrations.
--
-- Group roles hold privileges and cannot log in; logins.sql makes the roles that can.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['atlas_owner', 'atlas_bot', 'atlas_payments', 'atlas_admin',
                                'atlas_worker', 'atlas_auditor', 'atlas_dba']
  loop
    begin
      execute format('create role %I nologin', v_role);
    exception
      when duplicate_object or unique_violation then null; -- it exists, or a second runner was first
    end;
  end loop;

  execute format('grant connect, create on database %I to atlas_owner', current_database());
  execute format('grant connect on database %I to atlas_bot, atlas_payments, atlas_admin, '
                 'atlas_worker, atlas_auditor, atlas_dba', current_database());
  execute format('revoke all on database %I from public', current_database());
end
$$;

-- Sessions of other roles hide their queries from everybody else: ops.lock_wait, whose functions run as the
-- owner, shows them without their values to the roles that look after the server. Nobody logs in as the owner.
grant pg_read_all_stats to atlas_owner;

revoke create on schema public from public;
grant usage, create on schema public to atlas_owner;

comment on role atlas_owner is 'Owns every object; migrations run as it; nobody logs in as it.';
comment on role atlas_bot is 'What a person in Telegram may do: register, buy, pay from balance.';
comment on role atlas_payments is 'The only role that may settle provider payments.';
comment on role atlas_admin is 'Functions that take the acting admin''s id.';
comment on role atlas_worker is 'Due jobs: provisioning, messages, expiry.';
comment on role atlas_auditor is 'Reads views, reconciles, changes nothing.';
comment on role atlas_dba is 'Everything the other roles may do, admins, leases and switches.';
