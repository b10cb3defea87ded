package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/vpn"
)

// WantedUsers is what the synchronising job needs of schema vpn.
type WantedUsers interface {
	WantedUsers(ctx context.Context) ([]atlas.VPNUser, error)
}

// SyncNodes gives the node the list of users that it should let in: a node forgets its users when it starts, and may have
// missed a removal. It does so when the node has been started since, or counts another number of users than are wanted.
func SyncNodes(wanted WantedUsers, node vpn.Node, log *slog.Logger) Job {
	s := &syncer{wanted: wanted, node: node, log: log}
	return s.work
}

type syncer struct {
	wanted WantedUsers
	node   vpn.Node
	log    *slog.Logger

	mu         sync.Mutex
	instanceID string // the node's last start that this worker has given the list to
}

func (s *syncer) work(ctx context.Context, _ Batch) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	healthCtx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	health, err := s.node.Health(healthCtx)
	if err != nil {
		return 0, fmt.Errorf("asking the VPN node: %w", err)
	}
	users, err := s.wanted.WantedUsers(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the wanted users: %w", err)
	}
	if health.InstanceID == s.instanceID && health.Users == len(users) {
		return 0, nil
	}
	s.instanceID = ""
	given, err := s.give(ctx, users)
	if err != nil {
		return 0, err
	}
	s.log.InfoContext(ctx, "the VPN node has its users", obs.Operation("vpn.sync_nodes"), obs.Outcome(obs.OutcomeOK),
		slog.String("instance_id", health.InstanceID), slog.Int("had", health.Users), slog.Int("wanted", given))
	s.instanceID = health.InstanceID
	return 1, nil
}

const (
	maxRounds  = 5
	setTimeout = 30 * time.Second
)

// give sets the node's list until the list has not changed meanwhile. Somebody who bought, or whose time was over, between
// the reading of the list and its arrival at the node would be left out, or let in again, although the numbers agree.
func (s *syncer) give(ctx context.Context, users []atlas.VPNUser) (int, error) {
	for range maxRounds {
		setCtx, cancel := context.WithTimeout(ctx, setTimeout)
		err := s.node.Set(setCtx, users)
		cancel()
		if err != nil {
			return 0, fmt.Errorf("giving the VPN node its users: %w", err)
		}
		now, err := s.wanted.WantedUsers(ctx)
		if err != nil {
			return 0, fmt.Errorf("reading the wanted users: %w", err)
		}
		if isSame(users, now) {
			return len(now), nil
		}
		users = now
	}
	return 0, fmt.Errorf("the wanted users changed %d times while the VPN node was given them", maxRounds)
}

// isSame compares lists in whatever order they are.
func isSame(a, b []atlas.VPNUser) bool {
	if len(a) != len(b) {
		return false
	}
	there := make(map[atlas.VPNUser]bool, len(a))
	for _, user := range a {
		there[user] = true
	}
	for _, user := range b {
		if !there[user] {
			return false
		}
	}
	return true
}
