package worker

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/vpn"
)

// fleet is all nodes there are. A user is at one of them: where the key leads.
type fleet []vpn.Named

var errAllDraining = fmt.Errorf("%w: every node is draining; give one back with vpn.set_node", vpn.ErrDown)

// firstAnswer asks all nodes at once and is content with the first that answers.
func (f fleet) firstAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	answers := make(chan error, len(f))
	for _, node := range f {
		go func() {
			_, err := node.Health(ctx)
			if err != nil {
				err = fmt.Errorf("VPN node %s: %w", node.Name, err)
			}
			answers <- err
		}()
	}
	var failures []error
	isThere := false
	for range f { // the others end at once: their context does
		err := <-answers
		if err == nil {
			isThere = true
			cancel()
		}
		failures = append(failures, err)
	}
	if isThere {
		return nil
	}
	return errors.Join(failures...)
}

// EveryNode says which nodes do not answer. The others go on without them, but somebody has to look.
func EveryNode(ctx context.Context, nodes []vpn.Named) error {
	failures := make([]error, len(nodes))
	var asked sync.WaitGroup
	for i, node := range nodes {
		asked.Go(func() {
			if _, err := node.Health(ctx); err != nil {
				failures[i] = fmt.Errorf("VPN node %s: %w", node.Name, err)
			}
		})
	}
	asked.Wait()
	return errors.Join(failures...)
}

// add makes a key where the user's key leads already, so that it stays the same, else at a node that the uuid chooses among
// those that are not draining, or at the next one while that is down.
func (f fleet) add(ctx context.Context, job sqlapi.ProvisioningJob, draining []string) (atlas.KeyURI, string, error) {
	user := atlas.VPNUser{UUID: job.VPNUUID, DeviceLimit: job.DeviceLimit, TelegramID: job.TelegramID}
	if job.ExpiresAt != nil {
		user.ExpiresAt = *job.ExpiresAt
	}
	candidates := f.candidates(user.UUID, draining)
	if home, isKnown := named(f, job.Node); isKnown {
		candidates = fleet{home}
	}
	err := errAllDraining
	for _, node := range candidates {
		var key string
		if key, err = f.addTo(ctx, node, user); err == nil {
			return atlas.KeyURI(key), node.Name, nil
		}
		if !errors.Is(err, vpn.ErrDown) {
			break
		}
	}
	return "", "", fmt.Errorf("adding a user: %w", err)
}

func (f fleet) addTo(ctx context.Context, node vpn.Named, user atlas.VPNUser) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, nodeCallTimeout)
	defer cancel()
	key, err := node.Add(ctx, user)
	if err != nil {
		return "", fmt.Errorf("VPN node %s: %w", node.Name, err)
	}
	return key, nil
}

// candidates are the nodes for a new key, in the order in which the uuid prefers them: each node has its share, and one that
// comes or goes changes nothing for the rest.
func (f fleet) candidates(uuid string, draining []string) fleet {
	var found fleet
	for _, node := range f {
		if !slices.Contains(draining, node.Name) {
			found = append(found, node)
		}
	}
	slices.SortStableFunc(found, func(a, b vpn.Named) int {
		if weight(a.Name, uuid) > weight(b.Name, uuid) {
			return -1
		}
		return 1
	})
	return found
}

func weight(name, uuid string) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(uuid + "/" + name)) // never fails
	return sum.Sum64()
}

// remove takes the user off the node where the key leads. Where none does, an attempt that nobody heard of may have left the
// user anywhere: all nodes are told. One that is down then is mended by vpn.sync_nodes, if another answers.
func (f fleet) remove(ctx context.Context, job sqlapi.ProvisioningJob) error {
	nodes := f
	if home, isKnown := named(f, job.Node); isKnown {
		nodes = fleet{home}
	}
	var down, failures []error
	for _, node := range nodes {
		err := f.removeFrom(ctx, node, job.VPNUUID)
		switch {
		case errors.Is(err, vpn.ErrDown):
			down = append(down, err)
		case err != nil:
			failures = append(failures, err)
		}
	}
	if len(failures) > 0 {
		return fmt.Errorf("removing a user: %w", errors.Join(failures...))
	}
	if len(down) == len(nodes) {
		return fmt.Errorf("removing a user: %w", errors.Join(down...))
	}
	return nil
}

func (f fleet) removeFrom(ctx context.Context, node vpn.Named, uuid string) error {
	ctx, cancel := context.WithTimeout(ctx, nodeCallTimeout)
	defer cancel()
	if err := node.Remove(ctx, uuid); err != nil {
		return fmt.Errorf("VPN node %s: %w", node.Name, err)
	}
	return nil
}
