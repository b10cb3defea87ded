package load_test

import (
	"context"
	"testing"
	"time"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

// TestMixedTraffic lets everybody do everything on few wallets. It is short, and general: a mistake in a core function
// seldom gets past it.
func TestMixedTraffic(t *testing.T) {
	t.Parallel()
	b := harness.New(t)
	bots, workers := b.Pool(t, harness.BotLogin), b.Pool(t, harness.WorkerLogin)
	crowd := load.Open(t, load.Options{Bot: bots, Worker: workers, DBA: b.DBA, Seed: harness.Seed(t), Users: 12,
		Operations: 2000 * load.Factor(t)})
	watcher := history.Watch(context.Background(), b.Owner)
	began := time.Now()
	h := crowd.Run(context.Background())
	looks, wrong := watcher.Stop()
	t.Logf("%s, %d snapshots\n%s", time.Since(began), looks, history.Summary(h.Ops()))
	began = time.Now()
	history.Require(t, history.Books{Owner: b.Owner, Bot: bots, Worker: workers}, h, append(wrong, history.NoDeadlock(h.Ops())...)...)
	t.Logf("checked in %s", time.Since(began))
}
