package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/vpn"
)

// ProvisioningQueue is what the provisioning job needs of schema vpn.
type ProvisioningQueue interface {
	ClaimJobs(ctx context.Context, holder string, limit int, lease time.Duration) ([]sqlapi.ProvisioningJob, error)
	CompleteJob(ctx context.Context, job sqlapi.ProvisioningJob, key atlas.KeyURI) (sqlapi.CompletedJob, error)
	FailJob(ctx context.Context, job sqlapi.ProvisioningJob, reason string) (sqlapi.FailedJob, error)
	ReleaseJob(ctx context.Context, job sqlapi.ProvisioningJob, reason string) error
}

const (
	nodeParallel    = 8
	nodeCallTimeout = 4 * time.Second
	healthTimeout   = 3 * time.Second
	// provisionLease is how soon another worker takes over from one that died. A full batch of calls that all run into
	// their time limit fits into it; losing it all the same is harmless, since what the node does can be repeated.
	provisionLease = 20 * time.Second
)

// Provision makes and removes keys at the VPN node, in every worker. While the node does not answer it claims nothing, so
// that an outage costs no attempt.
func Provision(queue ProvisioningQueue, node vpn.Node, log *slog.Logger) Job {
	p := &provisioner{queue: queue, node: node, log: log}
	return p.work
}

type provisioner struct {
	queue ProvisioningQueue
	node  vpn.Node
	log   *slog.Logger

	isAway atomic.Bool // the node did not answer last time
}

func (p *provisioner) work(ctx context.Context, batch Batch) (int, error) {
	if !p.isNodeThere(ctx) {
		return 0, nil
	}
	jobs, err := p.queue.ClaimJobs(ctx, batch.Holder, batch.Limit, provisionLease)
	if err != nil {
		return 0, fmt.Errorf("claiming jobs: %w", err)
	}
	group := errgroup.Group{}
	group.SetLimit(nodeParallel)
	failures := make([]error, len(jobs))
	for i, job := range jobs {
		group.Go(func() error {
			failures[i] = p.one(ctx, batch, job)
			return nil
		})
	}
	_ = group.Wait()
	return len(jobs), errors.Join(failures...)
}

// isNodeThere asks the node, and tells of a change only: this is asked every second, and vpn.sync_nodes keeps the failure
// in ops.job.
func (p *provisioner) isNodeThere(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	_, err := p.node.Health(ctx)
	if wasAway := p.isAway.Swap(err != nil); wasAway == (err != nil) {
		return err == nil
	}
	if err != nil {
		p.log.WarnContext(ctx, "the VPN node does not answer: keys wait", obs.Operation("vpn.provision"),
			obs.Outcome(obs.OutcomeFailed), obs.Err(err))
		return false
	}
	p.log.InfoContext(ctx, "the VPN node answers again", obs.Operation("vpn.provision"), obs.Outcome(obs.OutcomeOK))
	return true
}

// one does a job at the node and writes down how it ended. Its error is about the writing, or about a node that is down;
// what the node refuses is an attempt, and the queue's business.
func (p *provisioner) one(ctx context.Context, batch Batch, job sqlapi.ProvisioningJob) error {
	start := time.Now()
	ctx = obs.WithTelegramID(ctx, int64(job.TelegramID))
	if job.CorrelationID != "" {
		ctx = obs.WithCorrelationID(ctx, job.CorrelationID)
	}
	key, err := p.atNode(ctx, batch, job)
	// The node may have done it: that is written down even when the run's time is over.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	outcome := obs.OutcomeOK
	var written error
	switch {
	case err == nil:
		_, written = p.queue.CompleteJob(last, job, key)
	case errors.Is(err, vpn.ErrDown) || errors.Is(err, errStopping):
		outcome = obs.OutcomeRetried
		written = p.queue.ReleaseJob(last, job, err.Error())
	default:
		outcome = obs.OutcomeFailed
		_, written = p.queue.FailJob(last, job, err.Error())
	}
	attrs := []any{
		obs.Operation("vpn." + string(job.Action)), obs.Outcome(outcome), obs.Took(start),
		"job_id", job.JobID, "attempt", job.Attempt,
	}
	if err != nil {
		p.log.WarnContext(ctx, "provisioning", append(attrs, obs.Err(err))...)
	} else {
		p.log.InfoContext(ctx, "provisioning", attrs...)
	}
	if errors.Is(written, atlas.ErrLeaseLost) {
		p.log.WarnContext(ctx, "another worker has the job now", append(attrs, obs.Err(written))...)
		return nil
	}
	if written != nil {
		return fmt.Errorf("job %d: %w", job.JobID, written)
	}
	return nil
}

var errStopping = errors.New("the worker is stopping")

func (p *provisioner) atNode(ctx context.Context, batch Batch, job sqlapi.ProvisioningJob) (atlas.KeyURI, error) {
	if batch.IsStopping() || ctx.Err() != nil {
		return "", errStopping
	}
	ctx, cancel := context.WithTimeout(ctx, nodeCallTimeout)
	defer cancel()
	switch job.Action {
	case atlas.VPNAdd:
		link, err := p.node.Add(ctx, atlas.VPNUser{UUID: job.VPNUUID, DeviceLimit: job.DeviceLimit})
		if err != nil {
			return "", fmt.Errorf("adding a user: %w", err)
		}
		return atlas.KeyURI(link), nil
	case atlas.VPNRemove:
		if err := p.node.Remove(ctx, job.VPNUUID); err != nil {
			return "", fmt.Errorf("removing a user: %w", err)
		}
		return "", nil
	default:
		return "", fmt.Errorf("unknown action %q", job.Action)
	}
}
