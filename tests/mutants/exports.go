package mutants

// exports are mutants of the files that admins ask for.
func exports() []Mutant {
	return []Mutant{
		{
			Name: "export that is asked for twice at once", Function: "ops._open_export",
			Right:   "on conflict (admin_id, kind, coalesce(batch_id, 0)) where finished_at is null\n  do update set due_at = e.due_at -- changes nothing: it locks the row that is under way\n",
			Without: "drop index ops.export_one_open",
			Package: "contract", Test: "TestExportIsAskedForOnce",
		},
		{
			Name: "export whose key is another's", Function: "ops.request_export",
			Right: "if (v_first.kind, v_first.batch_id) is distinct from (p_kind, p_batch_id) then", Wrong: "if false then",
			Package: "contract", Test: "TestExportIsAskedForOnce",
		},
		{
			Name: "export that is claimed while it is leased", Function: "ops.claim_export",
			Right: "and (e.leased_until is null or e.leased_until <= v_now)", Wrong: "",
			Package: "contract", Test: "TestExportGoesOnAfterItsLastPart",
		},
		{
			Name: "export that anybody's token records", Function: "ops.record_part",
			Right: "where e.export_id = p_export_id and e.lease_token = p_lease_token\n  for no key update;", Wrong: "where e.export_id = p_export_id\n  for no key update;",
			Package: "contract", Test: "TestExportGoesOnAfterItsLastPart",
		},
		{
			Name: "part that is counted twice", Function: "ops.record_part",
			Right: "if record_part.is_recorded and v_export.parts < p_part then", Wrong: "if record_part.is_recorded then",
			More:    []Edit{{Right: "perform core._require(p_part = v_export.parts + 1, 'p_part: the one after the last');"}},
			Package: "contract", Test: "TestExportGoesOnAfterItsLastPart",
		},
		{
			Name: "export that begins anew", Function: "ops.record_part",
			Right: "reached_id = p_reached_id,", Wrong: "reached_id = e.reached_id,",
			Package: "contract", Test: "TestExportGoesOnAfterItsLastPart",
		},
		{
			Name: "export to who is no admin any more", Function: "ops.keep_export",
			Right: "not v_export.is_admin", Wrong: "false",
			Package: "contract", Test: "TestExportEndsForWhoIsNoAdmin",
		},
		{
			Name: "page for who is no admin any more", Function: "ops.export_page",
			Right: "and a.is_active", Wrong: "",
			Package: "contract", Test: "TestExportEndsForWhoIsNoAdmin",
		},
		{
			Name: "export that never gives up", Function: "ops.fail_export",
			Right: "v_export.attempt >= ops._setting_value('export_attempts')", Wrong: "false",
			Package: "contract", Test: "TestExportIsGivenUp",
		},
		{
			Name: "export that kills workers for ever", Function: "ops.claim_export",
			Right: "exit when v_next.is_active and v_next.attempt < ops._setting_value('export_attempts');", Wrong: "exit when v_next.is_active;",
			Package: "contract", Test: "TestExportThatKillsWorkersIsGivenUp",
		},
		{
			Name: "ledger of later than it was asked for", Function: "ops._export_ledger",
			Right: "pg_visible_in_snapshot(t.recorded_xid::text::xid8, p_cut)", Wrong: "true",
			Package: "contract", Test: "TestExportOfTheLedger",
		},
		{
			Name: "ledger that skips the rest of a chain", Function: "ops._export_ledger",
			Right: "where (t.telegram_id, t.version) > (p_after_id, p_after_version)", Wrong: "where t.telegram_id > p_after_id",
			Package: "contract", Test: "TestExportOfTheLedger",
		},
		{
			Name: "users who came later", Function: "ops._export_users",
			Right: "case when a.registered_at <= p_until then", Wrong: "case when true then",
			Package: "contract", Test: "TestExportOfUsers",
		},
		{
			Name: "subscriptions that are over", Function: "ops._export_subscriptions",
			Right: "case when s.expires_at > p_at then", Wrong: "case when true then",
			Package: "contract", Test: "TestExportOfSubscriptions",
		},
		{
			Name: "export that another admin cancels", Function: "ops.cancel_export",
			Right: "where e.export_id = p_export_id and e.admin_id = p_admin_id\n  for no key update;", Wrong: "where e.export_id = p_export_id\n  for no key update;",
			Package: "contract", Test: "TestExportsAreListed",
		},
	}
}
