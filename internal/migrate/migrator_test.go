package migrate

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTwoMigratorsAtOnceBothSucceed(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	dsn, err := b.scratch.database(b.ctx, "two")
	require.NoError(t, err)

	const migrators = 3
	applied := make([]int, migrators)
	errs := make([]error, migrators)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range migrators {
		wg.Go(func() {
			m, err := Open(b.ctx, dsn, b.project.Config, b.project.Migrations())
			if err != nil {
				errs[i] = err
				return
			}
			<-start
			steps, err := m.Up(b.ctx)
			applied[i], errs[i] = len(steps), err
			if err := m.Close(); err != nil {
				errs[i] = err
			}
		})
	}
	close(start)
	wg.Wait()
	total := 0
	for i := range migrators {
		require.NoError(t, errs[i])
		total += applied[i]
	}
	require.Equal(t, 2, total, "each migration was applied by exactly one of them")
}

func TestEverythingBelongsToTheOwnerWhoeverMigrates(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	dsn, err := b.scratch.migrated(b.ctx, "owned", b.project.Migrations())
	require.NoError(t, err)
	owners, err := texts(b.ctx, dsn, `
		select distinct relowner::regrole::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname in ('shop', 'public')`)
	require.NoError(t, err)
	require.Equal(t, []string{"atlas_owner"}, owners)
}

func TestMissingRolesAreExplained(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	c := b.project.Config
	c.Role = "atlas_nobody_made"
	_, err := Open(b.ctx, adminDSN, c, b.project.Migrations())
	require.ErrorContains(t, err, "roles.sql")
}

func TestStatusAndDown(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	dsn, err := b.scratch.database(b.ctx, "status")
	require.NoError(t, err)
	m, err := Open(b.ctx, dsn, b.project.Config, b.project.Migrations())
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()

	applied := func() (n int) {
		states, err := m.Status(b.ctx)
		require.NoError(t, err)
		require.Len(t, states, 2)
		for _, s := range states {
			if !s.AppliedAt.IsZero() {
				n++
			}
		}
		return n
	}
	require.Equal(t, 0, applied())
	_, err = m.Up(b.ctx)
	require.NoError(t, err)
	require.Equal(t, 2, applied())
	for _, left := range []int{1, 0, 0} {
		_, err = m.Down(b.ctx)
		require.NoError(t, err)
		require.Equal(t, left, applied())
	}
}
