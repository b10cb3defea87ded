package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// lockWaitsShown is how many waiting sessions the screen has room for.
const lockWaitsShown = 4

// system shows how everything is, and what runs.
func (b *Bot) system(ctx context.Context, r *request) (screen.Screen, error) {
	server, err := b.DB.Ops.System(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the system: %w", err)
	}
	components, err := b.DB.Ops.ListComponents(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the components: %w", err)
	}
	return screen.System(r.text, server, components), nil
}

// processes shows which processes and which release are at work.
func (b *Bot) processes(ctx context.Context, r *request) (screen.Screen, error) {
	server, err := b.DB.Ops.System(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the system: %w", err)
	}
	leaders, err := b.DB.Ops.ListProcesses(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the processes: %w", err)
	}
	own := screen.OwnProcess{Holder: b.Holder, Version: b.Version, StartedAt: b.startedAt}
	return screen.Processes(r.text, own, server, leaders), nil
}

// lockWaits shows who waits for whom in the database.
func (b *Bot) lockWaits(ctx context.Context, r *request) (screen.Screen, error) {
	waits, err := b.DB.Ops.ListLockWaits(ctx, r.user, lockWaitsShown)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading lock waits: %w", err)
	}
	return screen.LockWaits(r.text, waits), nil
}

// jobs lists the schedule.
func (b *Bot) jobs(ctx context.Context, r *request) (screen.Screen, error) {
	all, err := b.DB.Ops.ListJobs(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the schedule: %w", err)
	}
	return screen.Jobs(r.text, all), nil
}

// job shows one job.
func (b *Bot) job(ctx context.Context, r *request) (screen.Screen, error) {
	j, err := b.pressedJob(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.Job(r.text, j), nil
}

func (b *Bot) pressedJob(ctx context.Context, r *request) (sqlapi.ListedJob, error) {
	all, err := b.DB.Ops.ListJobs(ctx, r.user)
	if err != nil {
		return sqlapi.ListedJob{}, fmt.Errorf("reading the schedule: %w", err)
	}
	for _, j := range all {
		if j.Name == r.argument {
			return j, nil
		}
	}
	return sqlapi.ListedJob{}, errOldButton
}

// jobRun makes a job due at once.
func (b *Bot) jobRun(ctx context.Context, r *request) (screen.Screen, error) {
	isChanged, err := b.DB.Ops.RunJobNow(ctx, r.user, r.argument)
	if err != nil {
		return screen.Screen{}, ofAJob(err, "bringing a job forward")
	}
	s, err := b.job(ctx, r)
	s.Toast = screen.JobBroughtForward(r.text, isChanged)
	return s, err
}

// jobAsk asks whether nobody is to run a job.
func (b *Bot) jobAsk(ctx context.Context, r *request) (screen.Screen, error) {
	j, err := b.pressedJob(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	if !j.IsEnabled {
		return screen.Job(r.text, j), nil
	}
	return screen.AskJobOff(r.text, j), nil
}

func (b *Bot) jobOff(ctx context.Context, r *request) (screen.Screen, error) {
	return b.switchJob(ctx, r, false)
}

func (b *Bot) jobOn(ctx context.Context, r *request) (screen.Screen, error) {
	return b.switchJob(ctx, r, true)
}

// switchJob lets workers run a job, or not. Once more is the same as once.
func (b *Bot) switchJob(ctx context.Context, r *request, isEnabled bool) (screen.Screen, error) {
	isReplay, err := b.DB.Ops.SwitchJob(ctx, r.user, r.argument, isEnabled)
	if err != nil {
		return screen.Screen{}, ofAJob(err, "switching a job")
	}
	s, err := b.job(ctx, r)
	s.Toast = screen.JobSwitched(r.text, isEnabled, isReplay)
	return s, err
}

// ofAJob is what the error of a function that takes a job's name means: a name that there is not comes from an old button.
func ofAJob(err error, what string) error {
	if errors.Is(err, atlas.ErrBadArgument) {
		return errOldButton
	}
	return fmt.Errorf("%s: %w", what, err)
}
