package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"time"
)

// The local defaults are the usual ports of this machine. Tokens and keys have no default anywhere, but the key of
// requisites: on a developer's machine they are nobody's.
const (
	localDatabaseURL = "postgres://127.0.0.1:5432/atlas_secure"
	localRedisURL    = "redis://127.0.0.1:6379/0"
	localVPNNodeURL  = "http://127.0.0.1:8088"
)

var required = map[Component][]string{
	Bot:     {"DATABASE_URL", "REDIS_URL", "BOT_TOKEN", "REQUISITES_KEY"},
	Worker:  {"DATABASE_URL", "REDIS_URL", "BOT_TOKEN"},
	Migrate: {"DATABASE_URL"},
}

var (
	botTokenForm      = regexp.MustCompile(`^\d+:[\w-]{35}$`)
	webhookSecretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
)

const maxPoolSize = 1000

func (c *Config) takeLocalDefaults() {
	if !c.DatabaseURL.IsSet() {
		c.DatabaseURL = NewSecret(localDatabaseURL)
	}
	if !c.RedisURL.IsSet() {
		c.RedisURL = NewSecret(localRedisURL)
	}
	if !c.RequisitesKey.IsSet() {
		c.RequisitesKey = NewSecret(localRequisitesKey)
	}
	if c.VPNNodeURL == "" && !c.VPNNodes.IsSet() {
		c.VPNNodeURL = localVPNNodeURL
	}
	if c.StateDir == "" {
		c.StateDir = defaultStateDir()
	}
}

// defaultStateDir is outside any clone: a clone under /root is closed to the uid that Postgres runs as.
func defaultStateDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/atlas-secure"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "atlas-secure")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "atlas-secure")
	}
	return filepath.Join(home, ".local", "state", "atlas-secure")
}

// problems checks what the types cannot: what is missing, malformed, or does not fit together.
func (c *Config) problems(component Component) []string {
	var found []string
	add := func(variable, format string, args ...any) {
		found = append(found, c.Environment.Prefix()+variable+" "+fmt.Sprintf(format, args...))
	}
	for _, variable := range required[component] {
		if !c.has(variable) {
			add(variable, "is missing")
		}
	}
	c.checkDatabase(add)
	c.checkRedis(add)
	c.checkTelegram(add)
	c.checkNodes(component, add)
	if c.RequisitesKey.IsSet() {
		if problem := requisitesKeyProblem(c.Environment, c.RequisitesKey); problem != "" {
			add(requisitesVariable, "%s", problem)
		}
	}
	for variable, text := range map[string]string{"HTTP_ADDR": c.HTTPAddr, "WORKER_HTTP_ADDR": c.WorkerHTTPAddr} {
		if _, _, err := net.SplitHostPort(text); err != nil {
			add(variable, "is %q: must be host:port", text)
		}
	}
	for variable, text := range map[string]string{
		"BOT_API_URL": c.BotAPIURL, "CRYPTOPAY_URL": c.CryptoPayURL, "VPN_NODE_URL": c.VPNNodeURL,
	} {
		if text != "" && !isWebURL(text, "http", "https") {
			add(variable, "must be an http or https address")
		}
	}
	slices.Sort(found)
	return found
}

func (c *Config) checkDatabase(add func(string, string, ...any)) {
	if c.DatabasePoolSize < 1 || c.DatabasePoolSize > maxPoolSize {
		add("DATABASE_POOL_SIZE", "is %d: must be 1 to %d", c.DatabasePoolSize, maxPoolSize)
	}
	if c.DatabaseStatementTimeout < time.Second {
		add("DATABASE_STATEMENT_TIMEOUT", "is %s: must be at least 1s", c.DatabaseStatementTimeout)
	}
	if c.DatabaseLockTimeout < 100*time.Millisecond || c.DatabaseLockTimeout >= c.DatabaseStatementTimeout {
		add("DATABASE_LOCK_TIMEOUT", "is %s: must be at least 100ms and shorter than the statement timeout",
			c.DatabaseLockTimeout)
	}
}

// maxMessages is what Telegram lets the largest bots send in a second.
const maxMessages = 1000

func (c *Config) checkTelegram(add func(string, string, ...any)) {
	if c.MessagesPerSecond < 2 || c.MessagesPerSecond > maxMessages {
		add("MESSAGES_PER_SECOND", "is %d: must be 2 to %d", c.MessagesPerSecond, maxMessages)
	}
	if c.BroadcastsPerSecond < 1 || c.BroadcastsPerSecond >= c.MessagesPerSecond {
		add("BROADCASTS_PER_SECOND", "is %d: must be at least 1, and leave some of MESSAGES_PER_SECOND to answers", c.BroadcastsPerSecond)
	}
	if c.BotToken.IsSet() && !botTokenForm.MatchString(c.BotToken.Reveal()) {
		add("BOT_TOKEN", "does not look like a bot token (digits, a colon, 35 characters)")
	}
	if c.BotWebhookURL == "" {
		return
	}
	schemes := []string{"https"}
	if c.Environment == Local {
		schemes = append(schemes, "http")
	}
	if !isWebURL(c.BotWebhookURL, schemes...) {
		add("BOT_WEBHOOK_URL", "must be an %s address", schemes[0])
	}
	if !webhookSecretForm.MatchString(c.BotWebhookSecret.Reveal()) {
		add("BOT_WEBHOOK_SECRET", "is missing or malformed (1 to 256 of A-Z a-z 0-9 _ -): a webhook needs it")
	}
}

func (c *Config) has(variable string) bool {
	for field, value := range c.fields() {
		if field == variable {
			return !value.IsZero()
		}
	}
	return false
}

// fields iterates over the variables by their names without prefix, in the order in which they are declared.
func (c *Config) fields() func(yield func(string, reflect.Value) bool) {
	return func(yield func(string, reflect.Value) bool) {
		structure := reflect.ValueOf(c).Elem()
		for i := range structure.NumField() {
			name := structure.Type().Field(i).Tag.Get("env")
			if name != "-" && !yield(name, structure.Field(i)) {
				return
			}
		}
	}
}

// fieldVariable turns the name of a field of Config into the name of its variable, without prefix.
func fieldVariable(field string) string {
	if declared, ok := reflect.TypeFor[Config]().FieldByName(field); ok {
		return declared.Tag.Get("env")
	}
	return field
}

func isWebURL(text string, schemes ...string) bool {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" {
		return false
	}
	for _, scheme := range schemes {
		if parsed.Scheme == scheme {
			return true
		}
	}
	return false
}
