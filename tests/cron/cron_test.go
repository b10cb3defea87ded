// Package cron_test runs deploy/postgres/pg_cron.sql on a server with pg_cron, beside a worker.
package cron_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	script = "../../deploy/postgres/pg_cron.sql"
	// minute is how long pg_cron may take to come round, and a little.
	minute = 75 * time.Second
	poll   = 20 * time.Millisecond
)

func schedule(t *testing.T, h *harness.Bundle) string {
	t.Helper()
	program, err := exec.LookPath("psql")
	require.NoError(t, err, "psql is missing: install Debian's package postgresql-client")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	dsn := strings.Replace(h.DSN(harness.Superuser), "/"+h.Database, "/postgres", 1)
	output, err := exec.CommandContext(ctx, program, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
		"--set", "database="+h.Database, "--dbname", dsn, "--file", script).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}

func TestF6CronBesideAWorker(t *testing.T) {
	t.Parallel()
	// Without the extension (Debian: postgresql-15-cron) the server does not start.
	h := harness.NewPrivateWith(t, map[string]string{"shared_preload_libraries": "pg_cron", "cron.database_name": "postgres",
		"cron.use_background_workers": "on"})
	ctx := context.Background()
	d := &desk.Desk{TB: t, Conn: h.DBA}
	owner := d.On(t, h.Owner)
	super, err := pgx.Connect(ctx, strings.Replace(h.DSN(harness.Superuser), "/"+h.Database, "/postgres", 1))
	require.NoError(t, err)
	defer func() { _ = super.Close(ctx) }()
	root := d.On(t, super)

	d.Shop()
	const due = 12
	for i := range due {
		d.User(5000 + i)
		d.Open(5000+i, "basic", 1, "k")
	}
	owner.Later("1 hour")

	// Whoever comes waits for this run to end.
	running, err := h.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = running.Rollback(ctx) }()
	d.On(t, running).Query("select 1 from ops.acquire_lease('billing.expire_due', 'somebody', '1 hour')")

	schedule(t, h)
	jobs := func() []desk.Row {
		return root.Query(`select jobname, schedule, command, username from cron.job where database = $1 order by jobname`, h.Database)
	}
	before := jobs()
	require.Len(t, before, 10)
	schedule(t, h)
	require.Equal(t, before, jobs(), "the script may be run again")
	for _, job := range before {
		require.Equal(t, "atlas_cron", job["username"])
		if !strings.Contains(job["command"].(string), "billing.expire_due") { // that one has to wait
			_, err := d.On(t, h.Worker).TryQuery(job["command"].(string))
			require.NoError(t, err, job["command"])
		}
	}

	waits := func(user string) func() bool {
		return func() bool {
			return root.Value(`select exists (select from pg_stat_activity
				where usename = $1 and wait_event_type = 'Lock' and query like '%billing.expire_due%')`, user) == true
		}
	}
	require.Eventually(t, waits("atlas_cron"), minute, poll, "pg_cron's run waits for the other")
	worked := make(chan error, 1)
	byWorker := 0
	go func() {
		for {
			rows, err := d.On(t, h.Worker).Try("billing.expire_due", desk.A{"p_epoch": nil, "p_limit": 1})
			if err != nil || rows[0]["expired"] == 0 {
				worked <- err
				return
			}
			byWorker += rows[0]["expired"].(int)
		}
	}()
	require.Eventually(t, waits(string(harness.Worker)), minute, poll, "so does the worker's")
	require.NoError(t, running.Commit(ctx))
	require.NoError(t, <-worked)

	ended := func(job string) bool {
		return root.Value(`select exists (select from cron.job_run_details r join cron.job j using (jobid)
			where j.jobname = $1 and r.status = 'succeeded')`, "atlas."+h.Database+"."+job) == true
	}
	require.Eventually(t, func() bool { return ended("billing.expire_due") && ended("audit.seal") }, minute, poll)
	require.LessOrEqual(t, byWorker, due)
	require.Equal(t, due, owner.Value("select count(*) from billing.purchase where status = 'expired'"))
	require.Equal(t, true, d.One("audit.verify", desk.A{})["is_intact"])
	d.Reconciled()
}
