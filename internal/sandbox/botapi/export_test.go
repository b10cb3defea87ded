package botapi

import (
	"maps"
	"slices"
)

// IsPolled says whether a getUpdates of the bot is waiting.
func (s *Server) IsPolled(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.botOf(token)
	return err == nil && b.poll != nil
}

// MethodNames are the methods of the Bot API that the emulator knows, in small letters.
func MethodNames() []string { return slices.Sorted(maps.Keys(methods)) }
