package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// features lists the switches.
func (b *Bot) features(ctx context.Context, r *request) (screen.Screen, error) {
	all, err := b.DB.Ops.ListFeatures(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the switches: %w", err)
	}
	return screen.Features(r.text, all), nil
}

// feature shows one switch.
func (b *Bot) feature(ctx context.Context, r *request) (screen.Screen, error) {
	f, err := b.pressedFeature(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.Feature(r.text, f), nil
}

// featureAsk asks whether something is to be switched off. There is no draft: it has to work while admin_actions is off,
// and the button says all that there is to say, which switch.
func (b *Bot) featureAsk(ctx context.Context, r *request) (screen.Screen, error) {
	f, err := b.pressedFeature(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	if !f.IsOn {
		return screen.Feature(r.text, f), nil
	}
	return screen.AskFeatureOff(r.text, f), nil
}

func (b *Bot) pressedFeature(ctx context.Context, r *request) (sqlapi.Feature, error) {
	all, err := b.DB.Ops.ListFeatures(ctx, r.user)
	if err != nil {
		return sqlapi.Feature{}, fmt.Errorf("reading the switches: %w", err)
	}
	for _, f := range all {
		if f.Name == r.argument {
			return f, nil
		}
	}
	return sqlapi.Feature{}, errOldButton
}

func (b *Bot) featureOff(ctx context.Context, r *request) (screen.Screen, error) {
	return b.setFeature(ctx, r, false)
}

func (b *Bot) featureOn(ctx context.Context, r *request) (screen.Screen, error) {
	return b.setFeature(ctx, r, true)
}

// setFeature moves a switch. Once more is the same as once.
func (b *Bot) setFeature(ctx context.Context, r *request, isOn bool) (screen.Screen, error) {
	err := b.DB.Ops.SetFeature(ctx, r.user, r.argument, isOn)
	switch {
	case errors.Is(err, atlas.ErrBadArgument):
		return screen.Screen{}, errOldButton
	case err != nil:
		return screen.Screen{}, fmt.Errorf("moving a switch: %w", err)
	}
	s, err := b.features(ctx, r)
	s.Toast = screen.FeatureMoved(r.text, r.argument, isOn)
	return s, err
}
