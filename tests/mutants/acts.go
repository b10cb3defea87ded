package mutants

// confirmed are mutants of what admins confirm, and of what they set.
func confirmed() []Mutant {
	return []Mutant{
		{
			Name: "confirm screen that is pressed twice", Function: "account._take_draft",
			Right: "and d.done_at is null and d.expires_at > v_now;", Wrong: "and d.expires_at > v_now;",
			Package: "contract", Test: "TestDraftsAreDoneOnce",
		},
		{
			Name: "confirm screen that is never too old", Function: "account._take_draft",
			Right: "and d.done_at is null and d.expires_at > v_now;", Wrong: "and d.done_at is null;",
			Package: "contract", Test: "TestDraftsAreDoneOnce",
		},
		{
			Name: "confirm screen of another act", Function: "account._take_draft",
			Right:   "d.draft_id = p_draft_id and d.action = p_action\n    and d.done_at is null",
			Wrong:   "d.draft_id = p_draft_id\n    and d.done_at is null",
			Package: "contract", Test: "TestDraftsAreDoneOnce",
		},
		{
			Name: "setting out of its range", Function: "ops.set_setting",
			Right: "p_value between v_old.minimum and v_old.maximum,", Wrong: "p_value is not null,",
			Package: "contract", Test: "TestBadArguments/ops.set_setting",
		},
		{
			Name: "company that asks again and again", Function: "account.request_corporate",
			Right: "c.telegram_id = p_telegram_id and c.closed_at is null", Wrong: "false",
			Package: "contract", Test: "TestCorporateRequest",
		},
		{
			Name: "code that is issued twice", Function: "promo.issue",
			Right: "c.issued_by = p_admin_id and c.idempotency_key = p_idempotency_key;", Wrong: "false;",
			Package: "contract", Test: "TestIssuePromo",
		},
		{
			Name: "code issued with other terms", Function: "promo.issue",
			Right: "if v_first.asked <> v_asked then", Wrong: "if false then",
			Package: "contract", Test: "TestIssuePromo",
		},
		{
			Name: "wallet rebuilt without what is held", Function: "ops.rebuild_wallet",
			Right: "(t.debit_account = 'held')::int", Wrong: "0",
			Package: "contract", Test: "TestRebuildWallet",
		},
		{
			Name: "subscription that is revoked twice", Function: "subscription.revoke",
			Right: "if v_first.is_found then", Wrong: "if false then",
			Package: "contract", Test: "TestRevoke",
		},
		{
			Name: "revocation that everybody is told of", Function: "subscription.revoke",
			Right: "where p_is_told;", Wrong: ";",
			Package: "contract", Test: "TestGrantAndRevokeQuietly",
		},
		{
			Name: "dead letter that is tried again and stays", Function: "ops.retry_dead_letter",
			Right: "delete from ops.dead d where d.dead_id = p_dead_id;", Wrong: "null;",
			Package: "contract", Test: "TestRetryOfADeadUpdate",
		},
		{
			Name: "key tried again with its attempts used up", Function: "vpn.retry_job",
			Right: "else 0 end", Wrong: "else t.attempt end",
			Package: "contract", Test: "TestRetriedKey",
		},
		{
			Name: "key tried again for what it is no more", Function: "vpn.retry_job",
			Right: "and s.activation = 'failed'", Wrong: "",
			Package: "contract", Test: "TestRetriedKey",
		},
	}
}

// ended are mutants of how updates, messages, runs and leases end.
func ended() []Mutant {
	return []Mutant{
		{
			Name: "update that a lost lease ends", Function: "inbox.done",
			Right: "u.lease_token = p_lease_token and u.finished_at is null;", Wrong: "u.finished_at is null;",
			Package: "contract", Test: "TestLeaseOfAnUpdate",
		},
		{
			Name: "failed update that is told twice", Function: "inbox.failed",
			Right: "or v_next_attempt_at is not null then", Wrong: "then",
			Package: "contract", Test: "TestFailedUpdateIsTriedFiveTimes",
		},
		{
			Name: "update that never gives up", Function: "inbox.failed",
			Right: "v_attempt < ops._setting_value('update_attempts')", Wrong: "true",
			Package: "contract", Test: "TestFailedUpdateIsTriedFiveTimes",
		},
		{
			Name: "update given back that has cost an attempt", Function: "inbox.give_back",
			Right: "attempt = u.attempt - 1", Wrong: "attempt = u.attempt",
			Package: "contract", Test: "TestGiveBack",
		},
		{
			Name: "updates of others given back", Function: "inbox.give_back",
			Right: "and u.holder = p_holder", Wrong: "",
			Package: "contract", Test: "TestGiveBack",
		},
		{
			Name: "message that never gives up", Function: "notify.failed",
			Right: "v_attempt >= ops._setting_value('message_attempts')", Wrong: "false",
			Package: "contract", Test: "TestFailedMessageIsTriedAgain",
		},
		{
			Name: "message of a lost lease that fails", Function: "notify.failed",
			Right: "elsif v_task.is_leased and not v_task.is_finished then", Wrong: "elsif not v_task.is_finished then",
			Package: "contract", Test: "TestUnknownOutcomeLosesMessagesButNotKeys",
		},
		{
			Name: "who has blocked the bot is written to again", Function: "notify.failed",
			Right: "update account.account a set is_reachable = false", Wrong: "update account.account a set is_reachable = true",
			Package: "contract", Test: "TestUnreachable",
		},
		{
			Name: "broadcast that never gives up", Function: "broadcast.failed",
			Right: "v_attempt.attempt < ops._setting_value('message_attempts')", Wrong: "true",
			Package: "contract", Test: "TestBroadcastFailures",
		},
		{
			Name: "run of a leader who was replaced", Function: "ops.finish_run",
			Right: "l.epoch = p_epoch and l.holder = p_holder", Wrong: "l.holder is not null",
			Package: "contract", Test: "TestExclusiveJob",
		},
		{
			Name: "failures that are never over", Function: "ops.finish_run",
			Right: "case when p_error is null then 0 else j.consecutive_failures + 1 end", Wrong: "j.consecutive_failures + 1",
			Package: "contract", Test: "TestExclusiveJob",
		},
		{
			Name: "lease that anybody gives up", Function: "ops.release_lease",
			Right: "and l.holder = p_holder", Wrong: "",
			Package: "contract", Test: "TestLease",
		},
		{
			Name: "component that is down at the first failure", Function: "ops.report_component",
			Right: "make_interval(secs => ops._setting_value('component_patience_seconds'))", Wrong: "interval '0'",
			Package: "contract", Test: "TestComponentStatus",
		},
		{
			Name: "report of an old leader", Function: "ops.report_component",
			Right: "if p_epoch is not null then", Wrong: "if false then",
			Package: "contract", Test: "TestComponentReportOfAnOldLeader",
		},
	}
}
