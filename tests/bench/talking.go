package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	sandboxredis "atlas-secure/internal/sandbox/redis"
	"atlas-secure/tests/bench/crowd"
	"atlas-secure/tests/bench/rig"
	"atlas-secure/tests/bench/talk"
)

const (
	// steadyRate is below the 30 messages a second that Telegram allows a bot.
	steadyRate = 25
	// askers are so many that nobody writes more often than the one message a second that Telegram allows to a chat.
	askers = 100
	// briskRate is ten times what Telegram lets a bot answer.
	briskRate = 300
	// busyAskers write as soon as they are answered.
	busyAskers = 32
)

// talking is case 7: people write to the bot, and it answers.
func (b *bench) talking() group {
	var redis *sandboxredis.Server
	subjectOf := func(key, title string, plan talk.Plan, hasLimits bool) subject {
		return subject{key, title, plan.People, func(ctx context.Context, round int) (rig.Sample, error) {
			plan.Warm, plan.Measure = time.Duration(b.warm)*time.Second, time.Duration(b.seconds)*time.Second
			if b.calls > 0 {
				plan.Warm, plan.Measure = 0, time.Second
			}
			return b.talk(ctx, plan, redis.URL(round%sandboxredis.Databases), hasLimits)
		}}
	}
	people := min(askers, b.users)
	return group{
		number: "7", title: "From a message to the bot's answer",
		subjects: []subject{
			subjectOf("bot-busy", fmt.Sprintf("bot, %d people at once, no limits", busyAskers),
				talk.Plan{First: crowd.FirstUser, People: busyAskers, Text: "/profile"}, false),
			subjectOf("bot-brisk", fmt.Sprintf("bot, %d messages a second, no limits", briskRate),
				talk.Plan{First: crowd.FirstUser, People: people, Text: "/profile", Rate: briskRate}, false),
			subjectOf("bot-steady", fmt.Sprintf("bot, %d messages a second", steadyRate),
				talk.Plan{First: crowd.FirstUser, People: people, Text: "/profile", Rate: steadyRate}, true),
		},
		setup: func(ctx context.Context) error {
			var err error
			if redis, err = sandboxredis.Start(ctx, sandboxredis.Options{}); err != nil {
				return err
			}
			b.keep = append(b.keep, func() error { return redis.Stop(context.WithoutCancel(ctx)) })
			b.note("Case 7: the bot runs in this process, wired as in production, beside the emulator of the Bot API; an answer's time " +
				"is from Telegram's having the message to its having the answer. Without limits: Telegram's 30 messages a second lifted.")
			return nil
		},
	}
}

// talk starts a bot, lets people talk with it, and stops it.
func (b *bench) talk(ctx context.Context, plan talk.Plan, redis string, hasLimits bool) (sample rig.Sample, err error) {
	// A new Telegram numbers its updates from the beginning, and the inbox takes each number once.
	if err := b.server.Exec(ctx, "truncate inbox.update"); err != nil {
		return sample, err
	}
	t, err := talk.Start(ctx, b.server.SocketDSN(rig.BotLogin, rig.Atlas), redis, hasLimits)
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, t.Stop()) }()
	if err := t.Introduce(plan.First, plan.People); err != nil {
		return sample, err
	}
	var meter *rig.Meter
	var read func(count float64, took, latency time.Duration) rig.Sample
	report, err := t.Run(ctx, plan,
		func() (err error) { meter, err = b.server.MeterOf(ctx, talk.Application); return err },
		func() (err error) { read, err = meter.Stop(ctx); return err })
	if err != nil {
		return sample, err
	}
	sample = read(float64(report.Answers), report.Took, time.Duration(report.MeanMS*float64(time.Millisecond)))
	sample.P50, sample.P99 = report.P50MS, report.P99MS
	return sample, nil
}
