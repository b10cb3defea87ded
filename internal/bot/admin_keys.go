package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

func (b *Bot) adminKeyRoutes() []route {
	return []route{
		{verb: screen.VerbKeysTried, handle: b.undelivered(true)},
		{verb: screen.VerbKeysNew, handle: b.undelivered(false)},
		{verb: screen.VerbKeyJob, handle: b.keyJob},
		{verb: screen.VerbKeyRetry, handle: b.keyRetry},
	}
}

// job is the job that a button carries: whose it is, and its number.
func (r *request) job() (sqlapi.JobRef, error) {
	user, number, _ := strings.Cut(r.argument, ".")
	id, err := strconv.ParseInt(user, 10, 64)
	if err != nil || !atlas.TelegramID(id).IsValid() {
		return sqlapi.JobRef{}, errOldButton
	}
	job, err := strconv.ParseInt(number, 10, 64)
	if err != nil || job < 1 {
		return sqlapi.JobRef{}, errOldButton
	}
	return sqlapi.JobRef{TelegramID: atlas.TelegramID(id), JobID: job}, nil
}

// undelivered lists keys that are promised and not delivered: those that an attempt has failed for, or those that wait for
// their first.
func (b *Bot) undelivered(isTried bool) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		var after sqlapi.JobRef
		if r.argument != "" {
			var err error
			if after, err = r.job(); err != nil {
				return screen.Screen{}, err
			}
		}
		page, err := b.DB.VPN.ListUndelivered(ctx, r.user, isTried, after, pageSize+1)
		if err != nil {
			return screen.Screen{}, fmt.Errorf("reading undelivered keys: %w", err)
		}
		return screen.UndeliveredKeys(r.text, isTried, screen.PageOf(page, pageSize, r.argument == "")), nil
	}
}

// keyJob shows one promised key.
func (b *Bot) keyJob(ctx context.Context, r *request) (screen.Screen, error) {
	job, err := r.job()
	if err != nil {
		return screen.Screen{}, err
	}
	shown, err := b.DB.VPN.ShowJob(ctx, r.user, job)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a promised key: %w", err)
	}
	return screen.KeyJob(r.text, shown), nil
}

// keyRetry has it tried again now.
func (b *Bot) keyRetry(ctx context.Context, r *request) (screen.Screen, error) {
	job, err := r.job()
	if err != nil {
		return screen.Screen{}, err
	}
	retried, err := b.DB.VPN.RetryJob(ctx, r.user, job)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("retrying a promised key: %w", err)
	}
	s, err := b.keyJob(ctx, r)
	s.Toast = r.text.Plain("alert.key_not_retried")
	if retried.IsRetried {
		s.Toast = r.text.Plain("alert.key_retried")
	}
	return s, err
}
