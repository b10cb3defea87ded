package vpn

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/atlas"
)

// difference is what a node has to be told, so that its users are the wanted ones.
type difference[T any] struct {
	missing []atlas.VPNUser
	other   []pair[T] // there, but not as wanted
	strange []T
}

type pair[T any] struct {
	user atlas.VPNUser
	has  T
}

func (d difference[T]) changes() Changes {
	return Changes{Added: len(d.missing), Changed: len(d.other), Removed: len(d.strange)}
}

// compare finds the difference between the users that are there, by the node's name for each, and the wanted ones.
func compare[T any](
	there map[string]T, wanted Wanted, name func(uuid string) string, isSame func(has T, user atlas.VPNUser) bool,
) difference[T] {
	var found difference[T]
	stays := make(map[string]bool, len(wanted.Users)+len(wanted.Spared))
	for uuid := range wanted.Spared {
		stays[name(uuid)] = true
	}
	for _, user := range wanted.Users {
		key := name(user.UUID)
		stays[key] = true
		has, isThere := there[key]
		switch {
		case !isThere:
			found.missing = append(found.missing, user)
		case !isSame(has, user):
			found.other = append(found.other, pair[T]{user, has})
		}
	}
	for key, has := range there {
		if !stays[key] {
			found.strange = append(found.strange, has)
		}
	}
	return found
}

// mendParallel is how many users are mended at a time where each takes a call of its own.
const mendParallel = 8

// mend tells a node the difference, user by user. One who is refused does not stop the others; a node that is down does.
func mend[T any](
	ctx context.Context, d difference[T],
	add func(context.Context, atlas.VPNUser) error, change func(context.Context, pair[T]) error,
	remove func(context.Context, T) error,
) (Changes, error) {
	var (
		mu       sync.Mutex
		done     Changes
		failures []error
	)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(mendParallel)
	begin := func(count *int, call func(context.Context) error) {
		group.Go(func() error {
			if groupCtx.Err() != nil {
				return groupCtx.Err()
			}
			err := call(groupCtx)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				*count++
				return nil
			}
			if errors.Is(err, ErrDown) || groupCtx.Err() != nil {
				return err
			}
			if len(failures) < maxFailures {
				failures = append(failures, err)
			}
			return nil
		})
	}
	for _, has := range d.strange { // first: access that nobody pays for
		begin(&done.Removed, func(ctx context.Context) error { return remove(ctx, has) })
	}
	for _, user := range d.missing {
		begin(&done.Added, func(ctx context.Context) error { return add(ctx, user) })
	}
	for _, other := range d.other {
		begin(&done.Changed, func(ctx context.Context) error { return change(ctx, other) })
	}
	err := group.Wait()
	return done, errors.Join(append(failures, err)...)
}

// maxFailures of users are told of one mending; more say no more.
const maxFailures = 5
