package race_test

import (
	"context"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/history"
)

// watch looks at the books in REPEATABLE READ snapshots, at least once, until the function is called, which demands that
// they were right in all of them.
func (b *bundle) watch() (stop func()) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	watcher := history.Watch(ctx, b.harness.Owner)
	return func() {
		defer cancel()
		b.eventually("somebody has looked at the books", func() bool { return watcher.Looks() > 0 })
		_, violations := watcher.Stop()
		for _, violation := range violations {
			require.Equal(b, b.tolerated, violation.Check, "%v", violation)
		}
	}
}
