package mutants

// queues are mutants of the outbox and of the jobs for the VPN node.
func queues() []Mutant {
	return []Mutant{
		{
			Name: "job for every worker who asks", Function: "outbox._claim", Right: "for no key update of t skip locked",
			Package: "race", Test: "TestI12JobsAreHandedOutOnce",
		},
		{
			Name: "job that does not wait for the one before", Function: "outbox._claim",
			Right: "where e.telegram_id = t.telegram_id and e.task_id < t.task_id and e.kind = t.kind", Wrong: "where false",
			Package: "race", Test: "TestI12JobsAreHandedOutOnce",
		},
		{
			Name: "job that is handed out while it is leased", Function: "outbox._claim",
			Right: "t.leased_until <= v_now and (t.kind", Wrong: "(t.kind",
			More: []Edit{{
				Right: "where e.telegram_id = t.telegram_id and e.kind = t.kind and e.leased_until > v_now",
				Wrong: "where false",
			}},
			Package: "contract", Test: "TestClaimJobs",
		},
		{
			Name: "finished job of a lost lease", Function: "vpn.complete_job",
			Right: "if not v_job.is_leased then", Wrong: "if false then",
			Package: "contract", Test: "TestLeaseOfAJobIsLost",
		},
		{
			Name: "failed job of a lost lease", Function: "vpn.fail_job",
			Right: "if not v_job.is_leased then", Wrong: "if false then",
			Package: "contract", Test: "TestLeaseOfAJobIsLost",
		},
		{
			Name: "job that any token finishes", Function: "outbox._lock_leased",
			Right: "t.lease_token = p_lease_token,", Wrong: "t.lease_token is not null,",
			Package: "contract", Test: "TestLeaseOfAJobIsLost",
		},
		{
			Name: "job that is finished twice", Function: "vpn.complete_job",
			Right: "elsif v_job.is_finished then", Wrong: "elsif false then",
			Package: "contract", Test: "TestCompleteJob",
		},
		{
			Name: "job that never gives up", Function: "vpn.fail_job",
			Right: "v_task.attempt < ops._setting_value('provisioning_attempts')", Wrong: "true",
			Package: "contract", Test: "TestFailingJobGivesUpAfterFive",
		},
		{
			Name: "late key that revives what has ended", Function: "vpn.complete_job",
			Right: "if v_task.name = 'add' and not v_task.is_stale then", Wrong: "if v_task.name = 'add' then",
			Package: "contract", Test: "TestF11LateKeyDoesNotReviveWhatHasEnded",
		},
	}
}

// leases are mutants of leadership, of the first line of every writing function, and of the seal.
func leases() []Mutant {
	return []Mutant{
		{
			Name: "any isolation level", Function: "core._guard",
			Right: "current_setting('transaction_isolation') <> 'read committed'", Wrong: "false",
			Package: "race", Test: "TestA7RepeatableReadSession",
		},
		{
			Name: "switch that switches nothing off", Function: "core._guard", Right: "and not f.is_on", Wrong: "and false",
			Package: "contract", Test: "TestSwitches",
		},
		{
			Name: "batch of a leader who was replaced", Function: "ops._enter_due",
			Right: "if p_epoch <> v_epoch or p_epoch < 1 then", Wrong: "if false then",
			Package: "contract", Test: "TestExpireDueIsFenced",
		},
		{
			Name: "batch of an older epoch", Function: "ops._enter_due",
			Right: "if p_epoch <> v_epoch", Wrong: "if p_epoch > v_epoch",
			Package: "contract", Test: "TestExpireDueIsFenced",
		},
		{
			Name: "batch that does not hold its lease", Function: "ops._enter_due", Right: "\n  for no key update;", Wrong: ";",
			Package: "race", Test: "TestF4NewLeaderWaitsForTheBatchOfTheOldOne",
		},
		{
			Name: "leadership for all who ask at once", Function: "ops.acquire_lease", Right: "\n  for no key update;", Wrong: ";",
			Package: "race", Test: "TestF5OneLeader",
		},
		{
			Name: "leadership that anybody takes over", Function: "ops.acquire_lease",
			Right: "elsif v_lease.holder is distinct from p_holder then", Wrong: "elsif false then",
			Package: "race", Test: "TestF5OneLeader",
		},
		{
			Name: "leadership without a new epoch", Function: "ops.acquire_lease",
			Right: "v_lease.epoch := v_lease.epoch + 1;", Wrong: "null;",
			Package: "race", Test: "TestF5OneLeader",
		},
		{
			Name: "seal over what may still appear", Function: "audit.seal",
			Right: "pg_snapshot_xmin(pg_current_snapshot())", Wrong: "pg_snapshot_xmax(pg_current_snapshot())",
			Package: "contract", Test: "TestSealWaitsForOlderTransactions",
		},
		{
			Name: "two seals at once", Function: "audit.seal",
			Right:   "perform 1 from ops.lease l where l.name = 'audit.seal' for no key update;",
			Package: "contract", Test: "TestTwoSealersTakeTurns",
		},
		{
			Name: "seal that forgets the batch before", Function: "audit.seal",
			Right: "v_row_ids, v_row_hashes, v_last.hash);", Wrong: "v_row_ids, v_row_hashes, ''::bytea);",
			Package: "contract", Test: "TestX8ChainAttacks",
		},
	}
}
