package bot

import (
	"context"
	"fmt"

	"atlas-secure/internal/bot/screen"
)

func (b *Bot) adminFigureRoutes() []route {
	return []route{
		{verb: screen.VerbStatistics, handle: b.statistics},
		{verb: screen.VerbAnalytics, handle: b.analytics},
		{verb: screen.VerbMetrics, handle: b.metricsOfService},
	}
}

// statistics shows how many users and subscriptions there are.
func (b *Bot) statistics(ctx context.Context, r *request) (screen.Screen, error) {
	figures, err := b.DB.Ops.Statistics(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading statistics: %w", err)
	}
	return screen.Statistics(r.text, figures), nil
}

// analytics shows what came in.
func (b *Bot) analytics(ctx context.Context, r *request) (screen.Screen, error) {
	figures, err := b.DB.Billing.Analytics(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading analytics: %w", err)
	}
	return screen.Analytics(r.text, figures), nil
}

// metricsOfService shows how the service does.
func (b *Bot) metricsOfService(ctx context.Context, r *request) (screen.Screen, error) {
	figures, err := b.DB.Ops.Metrics(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading metrics: %w", err)
	}
	return screen.Metrics(r.text, figures), nil
}
