package api

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"atlas-secure/vpnnode/internal/node"
)

var errBadUUID = errors.New("uuid: 36 characters in the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx are expected")

// parseUUID takes the canonical form only. (Xray would make an id out of any text.)
func parseUUID(text string) (string, error) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return "", errBadUUID
	}
	digits := strings.ReplaceAll(text, "-", "")
	if raw, err := hex.DecodeString(digits); err != nil || len(raw) != 16 || digits == strings.Repeat("0", 32) {
		return "", errBadUUID
	}
	return strings.ToLower(text), nil
}

func parseUser(body userBody) (node.User, error) {
	id, err := parseUUID(body.UUID)
	if err != nil {
		return node.User{}, err
	}
	if body.DeviceLimit < 0 || body.DeviceLimit > maxDeviceLimit {
		return node.User{}, fmt.Errorf("device_limit: 0 (none) to %d is expected", maxDeviceLimit)
	}
	return node.User{ID: id, DeviceLimit: body.DeviceLimit}, nil
}

func parseUsers(bodies []userBody) ([]node.User, error) {
	users := make([]node.User, 0, len(bodies))
	seen := make(map[string]struct{}, len(bodies))
	for i, body := range bodies {
		user, err := parseUser(body)
		if err != nil {
			return nil, fmt.Errorf("users[%d]: %w", i, err)
		}
		if _, isTwice := seen[user.ID]; isTwice {
			return nil, fmt.Errorf("users[%d]: named before", i)
		}
		seen[user.ID] = struct{}{}
		users = append(users, user)
	}
	return users, nil
}
