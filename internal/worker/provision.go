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
	DrainingNodes(ctx context.Context) ([]string, error)
	CompleteJob(ctx context.Context, job sqlapi.ProvisioningJob, key atlas.KeyURI, node string) (sqlapi.CompletedJob, error)
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

// Provision makes and removes keys at the VPN nodes, in every worker. While none answers it claims nothing, and a job whose
// node is down is given back, so that an outage costs no attempt.
func Provision(queue ProvisioningQueue, nodes []vpn.Named, log *slog.Logger) Job {
	p := &provisioner{queue: queue, nodes: nodes, log: log}
	return p.work
}

type provisioner struct {
	queue ProvisioningQueue
	nodes fleet
	log   *slog.Logger

	isAway atomic.Bool // no node answered last time
}

func (p *provisioner) work(ctx context.Context, batch Batch) (int, error) {
	if !p.isNodeThere(ctx) {
		return 0, nil
	}
	draining, err := p.queue.DrainingNodes(ctx)
	if err != nil {
		return 0, fmt.Errorf("asking which nodes are draining: %w", err)
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
			failures[i] = p.one(ctx, batch, job, draining)
			return nil
		})
	}
	_ = group.Wait()
	return len(jobs), errors.Join(failures...)
}

// isNodeThere asks the nodes, and tells of a change only: this is asked every second, and vpn.sync_nodes keeps the failure
// in ops.job.
func (p *provisioner) isNodeThere(ctx context.Context) bool {
	err := p.nodes.firstAnswer(ctx)
	if wasAway := p.isAway.Swap(err != nil); wasAway == (err != nil) {
		return err == nil
	}
	if err != nil {
		p.log.WarnContext(ctx, "no VPN node answers: keys wait", obs.Operation("vpn.provision"),
			obs.Outcome(obs.OutcomeFailed), obs.Err(err))
		return false
	}
	p.log.InfoContext(ctx, "a VPN node answers again", obs.Operation("vpn.provision"), obs.Outcome(obs.OutcomeOK))
	return true
}

// one does a job at the node and writes down how it ended. Its error is about the writing, or about a node that is down;
// what the node refuses is an attempt, and the queue's business.
func (p *provisioner) one(ctx context.Context, batch Batch, job sqlapi.ProvisioningJob, draining []string) error {
	start := time.Now()
	ctx = obs.WithTelegramID(ctx, int64(job.TelegramID))
	if job.CorrelationID != "" {
		ctx = obs.WithCorrelationID(ctx, job.CorrelationID)
	}
	key, node, err := p.atNode(ctx, batch, job, draining)
	// The node may have done it: that is written down even when the run's time is over.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	outcome := obs.OutcomeOK
	var written error
	switch {
	case err == nil:
		_, written = p.queue.CompleteJob(last, job, key, node)
	case errors.Is(err, vpn.ErrDown) || errors.Is(err, errStopping):
		outcome = obs.OutcomeRetried
		written = p.queue.ReleaseJob(last, job, err.Error())
	default:
		outcome = obs.OutcomeFailed
		_, written = p.queue.FailJob(last, job, err.Error())
	}
	attrs := []any{
		obs.Operation("vpn." + string(job.Action)), obs.Outcome(outcome), obs.Took(start),
		"job_id", job.JobID, "attempt", job.Attempt, "node", node,
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

func (p *provisioner) atNode(
	ctx context.Context, batch Batch, job sqlapi.ProvisioningJob, draining []string,
) (key atlas.KeyURI, node string, err error) {
	if batch.IsStopping() || ctx.Err() != nil {
		return "", "", errStopping
	}
	switch job.Action {
	case atlas.VPNAdd:
		return p.nodes.add(ctx, job, draining)
	case atlas.VPNRemove:
		return "", "", p.nodes.remove(ctx, job)
	default:
		return "", "", fmt.Errorf("unknown action %q", job.Action)
	}
}
