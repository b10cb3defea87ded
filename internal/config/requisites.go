package config

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

// RequisitesKeyBytes is the size of the key that seals requisites.
const RequisitesKeyBytes = 32

const (
	requisitesVariable = "REQUISITES_KEY"
	// localRequisitesKey is "atlas-secure: local, not secret!" and no secret.
	localRequisitesKey = "YXRsYXMtc2VjdXJlOiBsb2NhbCwgbm90IHNlY3JldCE="
)

// RequisitesKey reads the key that seals requisites, for a command that needs nothing else of the configuration. Its error
// names the variable.
func RequisitesKey() (Secret, error) {
	environment := Environment(os.Getenv("APP_ENV"))
	switch environment {
	case Local, Stage, Prod:
	case "":
		environment = Local
	default:
		return Secret{}, fmt.Errorf("APP_ENV is %q: must be local, stage or prod", environment)
	}
	variable := environment.Prefix() + requisitesVariable
	key := NewSecret(strings.TrimSpace(os.Getenv(variable)))
	if !key.IsSet() {
		if environment == Local {
			return NewSecret(localRequisitesKey), nil
		}
		return Secret{}, fmt.Errorf("%s is missing: it seals requisites, and must be the one that the bot has", variable)
	}
	if problem := requisitesKeyProblem(environment, key); problem != "" {
		return Secret{}, fmt.Errorf("%s %s", variable, problem)
	}
	return key, nil
}

// IsLocalRequisitesKey tells whether a key is the default of developers' machines.
func IsLocalRequisitesKey(key Secret) bool { return key.Reveal() == localRequisitesKey }

func requisitesKeyProblem(environment Environment, key Secret) string {
	raw, err := base64.StdEncoding.DecodeString(key.Reveal())
	switch {
	case err != nil || len(raw) != RequisitesKeyBytes:
		return "must be 32 bytes in base64 (openssl rand -base64 32)"
	case environment != Local && IsLocalRequisitesKey(key):
		return "is the local default, which everybody knows (openssl rand -base64 32 makes one)"
	default:
		return ""
	}
}
