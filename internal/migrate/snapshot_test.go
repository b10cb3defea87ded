package migrate

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	first  = "sql/migrations/00002_functions.sql"
	second = "sql/migrations/00003_functions.sql"
)

func TestSnapshotBeforeTheFirstReleaseIsWrittenAnew(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	require.Equal(t, "00002_functions.sql", b.snapshot(t))
	require.Empty(t, b.snapshot(t), "nothing changed")
	before := b.read(t, first)

	b.write(t, "sql/functions/shop/_prefix.sql", helper("shop._prefix", "thing"))
	require.Equal(t, "00002_functions.sql", b.snapshot(t))
	require.NotEqual(t, before, b.read(t, first))
	require.NotContains(t, b.read(t, first), "'item '")
	require.Empty(t, b.verify(t))
}

func TestSnapshotAfterAReleaseHoldsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	b.release(t)
	released := b.read(t, first)
	require.Empty(t, b.snapshot(t), "nothing changed")

	b.write(t, "sql/functions/shop/_prefix.sql", helper("shop._prefix", "thing"))
	b.write(t, "sql/functions/shop/count.sql", function("shop.count", "", "bigint", "return (select count(*) from shop.item i);"))
	require.Equal(t, "00003_functions.sql", b.snapshot(t))
	require.Equal(t, released, b.read(t, first), "a released migration is for ever")

	up, down, ok := strings.Cut(b.read(t, second), "-- +goose Down")
	require.True(t, ok)
	require.Contains(t, up, "'thing '")
	require.NotContains(t, up, "shop.label", "it did not change, and nothing it is bound to did")
	require.Contains(t, down, "'item '", "the previous body comes back")
	require.Contains(t, down, "drop function shop.count;")
	require.Empty(t, b.verify(t))
}

func TestSnapshotDropsAndRemakesWhatCannotBeReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	b.release(t)
	// Another parameter name: `create or replace` refuses it, and the view is bound to the function.
	b.write(t, "sql/functions/shop/label.sql", function("shop.label", "p_item_name text", "text",
		"return shop._prefix() || p_item_name;"))
	b.snapshot(t)
	up, _, _ := strings.Cut(b.read(t, second), "-- +goose Down")
	require.Less(t, strings.Index(up, "drop view shop.labels"), strings.Index(up, "drop function shop.label"))
	require.Contains(t, up, "create view shop.labels")
	require.Empty(t, b.verify(t))
}

func TestSnapshotTakesAGrantBack(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	b.release(t)
	text := function("shop.label", "p_name text", "text", "return shop._prefix() || p_name;")
	b.write(t, "sql/functions/shop/label.sql", strings.Replace(text, "to atlas_bot", "to atlas_dba", 1))
	b.snapshot(t)
	require.Empty(t, b.verify(t), "replaying leaves no grant behind that the file no longer has")
}

func TestSnapshotOfARemovedFile(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	b.release(t)
	b.remove(t, "sql/views/shop/labels.sql")
	b.snapshot(t)
	up, down, _ := strings.Cut(b.read(t, second), "-- +goose Down")
	require.Contains(t, up, "drop view shop.labels;")
	require.NotContains(t, up, "create")
	require.Contains(t, down, "create view shop.labels")
	require.Empty(t, b.verify(t))
}

func TestSnapshotRefusesAnEditedReleasedMigration(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	b.release(t)
	b.write(t, "sql/migrations/00001_tables.sql", tables+"-- edited\n")
	_, err := b.project.WriteSnapshot()
	require.ErrorContains(t, err, "00001_tables.sql was edited")
}

func TestViewsComeAfterWhatTheyAreBoundTo(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.write(t, "sql/views/shop/a_first.sql", view("shop.a_first", "select l.name from shop.labels l"))
	b.write(t, "sql/functions/shop/_last.sql", "-- Bound early.\n-- Locks: none.\n-- Raises: nothing.\n"+
		"create or replace function shop._last() returns text language sql stable\n"+
		"begin atomic\n  select max(a.name) from shop.a_first a;\nend;\n\ncomment on function shop._last is 'Bound early.';\n")
	b.snapshot(t)
	text := b.read(t, first)
	require.Less(t, strings.Index(text, fileMark+"views/shop/labels.sql"), strings.Index(text, fileMark+"views/shop/a_first.sql"))
	require.Less(t, strings.Index(text, fileMark+"views/shop/a_first.sql"), strings.Index(text, fileMark+"functions/shop/_last.sql"))
	require.Empty(t, b.verify(t))
}
