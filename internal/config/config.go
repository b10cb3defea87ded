// Package config reads what a process needs from the environment. APP_ENV chooses local, stage or prod, and with it the
// prefix of every other variable (LOCAL_, STAGE_, PROD_), so that one machine can hold all three without mixing them.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Environment is where a process runs.
type Environment string

// The environments.
const (
	Local Environment = "local"
	Stage Environment = "stage"
	Prod  Environment = "prod"
)

// Prefix is what the names of this environment's variables begin with.
func (e Environment) Prefix() string { return strings.ToUpper(string(e)) + "_" }

// Component is a binary: each needs other variables.
type Component string

// The components.
const (
	Bot     Component = "bot"
	Worker  Component = "worker"
	Migrate Component = "migrate"
)

// Config is everything that can be configured. Addresses that may hold a password are secrets too.
type Config struct {
	Environment Environment `env:"-"`

	DatabaseURL              Secret        `env:"DATABASE_URL"`
	DatabasePoolSize         int           `env:"DATABASE_POOL_SIZE" envDefault:"20"`
	DatabaseStatementTimeout time.Duration `env:"DATABASE_STATEMENT_TIMEOUT" envDefault:"15s"`
	DatabaseLockTimeout      time.Duration `env:"DATABASE_LOCK_TIMEOUT" envDefault:"5s"`

	RedisURL       Secret        `env:"REDIS_URL"`
	RedisKeyPrefix string        `env:"REDIS_KEY_PREFIX"`
	RedisPoolSize  int           `env:"REDIS_POOL_SIZE" envDefault:"20"`
	RedisTimeout   time.Duration `env:"REDIS_TIMEOUT" envDefault:"2s"`
	// RedisPatience is how long one update waits for Redis, whatever it asks.
	RedisPatience time.Duration `env:"REDIS_PATIENCE" envDefault:"300ms"`
	RedisRest     time.Duration `env:"REDIS_REST" envDefault:"1s"`

	// BreakerFailures calls in a row that fail make a client leave Redis, or a VPN node, alone for its rest.
	BreakerFailures int `env:"BREAKER_FAILURES" envDefault:"3"`

	BotToken  Secret `env:"BOT_TOKEN"`
	BotAPIURL string `env:"BOT_API_URL" envDefault:"https://api.telegram.org"`
	// MessagesPerSecond is what Telegram allows this bot to send, and BroadcastsPerSecond what messages that nobody waits for
	// may use of it. All processes that share a bot have to agree.
	MessagesPerSecond   int    `env:"MESSAGES_PER_SECOND" envDefault:"30"`
	BroadcastsPerSecond int    `env:"BROADCASTS_PER_SECOND" envDefault:"25"`
	BotWebhookURL       string `env:"BOT_WEBHOOK_URL"`
	BotWebhookSecret    Secret `env:"BOT_WEBHOOK_SECRET"`

	HTTPAddr       string `env:"HTTP_ADDR" envDefault:"127.0.0.1:0"`
	WorkerHTTPAddr string `env:"WORKER_HTTP_ADDR" envDefault:"127.0.0.1:0"`

	CryptoPayURL      string `env:"CRYPTOPAY_URL" envDefault:"https://pay.crypt.bot"`
	CryptoPayToken    Secret `env:"CRYPTOPAY_TOKEN"`
	CardProviderToken Secret `env:"CARD_PROVIDER_TOKEN"`

	// RequisitesKey seals where withdrawals are paid: 32 bytes in base64.
	RequisitesKey Secret `env:"REQUISITES_KEY"`

	// VPNNodes are addresses of VPN nodes with their keys, divided by spaces; VPNNodeURL is the one where there is one only.
	VPNNodes      Secret        `env:"VPN_NODES"`
	VPNNodeURL    string        `env:"VPN_NODE_URL"`
	VPNNodeAPIKey Secret        `env:"VPN_NODE_API_KEY"`
	VPNNodeRest   time.Duration `env:"VPN_NODE_REST" envDefault:"5s"`

	SupportContact string     `env:"SUPPORT_CONTACT"`
	StateDir       string     `env:"STATE_DIR"`
	LogLevel       slog.Level `env:"LOG_LEVEL" envDefault:"INFO"`
}

// Load reads the configuration of a component from the process's environment.
func Load(component Component) (*Config, error) { return Parse(component, os.Environ()) }

// Parse reads the configuration from variables in the form NAME=value. Its error names every problem, one a line, and
// no secret.
func Parse(component Component, environ []string) (*Config, error) {
	variables := env.ToMap(environ)
	environment := Environment(variables["APP_ENV"])
	switch environment {
	case Local, Stage, Prod:
	case "":
		environment = Local
	default:
		return nil, fmt.Errorf("APP_ENV is %q: must be local, stage or prod", environment)
	}

	for name, value := range variables {
		if strings.TrimSpace(value) == "" {
			delete(variables, name) // a variable set to nothing takes its default, as compose files expect
		}
	}
	cfg := &Config{Environment: environment}
	problems := parseProblems(environment, env.ParseWithOptions(cfg, env.Options{
		Environment: variables,
		Prefix:      environment.Prefix(),
	}))
	if environment == Local {
		cfg.takeLocalDefaults()
	}
	if cfg.RedisKeyPrefix == "" {
		cfg.RedisKeyPrefix = "atlas:" + string(environment) + ":" // several environments can share one Redis
	}
	problems = append(problems, cfg.problems(component)...)
	if len(problems) > 0 {
		return nil, &ProblemsError{Component: component, Environment: environment, Problems: problems}
	}
	return cfg, nil
}

// ProblemsError lists everything that is wrong with the configuration.
type ProblemsError struct {
	Component   Component
	Environment Environment
	Problems    []string
}

// Error gives a line per problem.
func (e *ProblemsError) Error() string {
	return fmt.Sprintf("configuration of %s (APP_ENV=%s) has %d problem(s):\n  - %s",
		e.Component, e.Environment, len(e.Problems), strings.Join(e.Problems, "\n  - "))
}

func parseProblems(environment Environment, err error) []string {
	if err == nil {
		return nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []string{err.Error()}
	}
	problems := make([]string, 0, len(all.Errors))
	for _, each := range all.Errors {
		var parse env.ParseError
		if errors.As(each, &parse) {
			problems = append(problems, fmt.Sprintf("%s%s is not a valid %s: %v",
				environment.Prefix(), fieldVariable(parse.Name), parse.Type, parse.Err))
			continue
		}
		problems = append(problems, each.Error())
	}
	return problems
}
