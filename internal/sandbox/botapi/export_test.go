package botapi

// IsPolled says whether a getUpdates of the bot is waiting.
func (s *Server) IsPolled(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.botOf(token)
	return err == nil && b.poll != nil
}
