package botapi

import (
	"fmt"
	"regexp"
	"sort"
)

var commandPattern = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// commandScope makes the key of scope and language under which commands are kept.
func commandScope(c *call) (string, error) {
	scope := struct {
		Type   string `json:"type"`
		ChatID int64  `json:"chat_id"`
	}{Type: "default"}
	if err := c.args.object("scope", "BotCommandScope", &scope); err != nil {
		return "", err
	}
	switch scope.Type {
	case "default", "all_private_chats", "all_group_chats", "all_chat_administrators":
	case "chat":
		if b := c.bot.chats[scope.ChatID]; b == nil || !b.Started {
			return "", errChatNotFound
		}
	default:
		return "", badRequest("can't parse BotCommandScope: Unsupported type specified")
	}
	language := c.args.text("language_code")
	if language != "" && (len(language) != 2 || !isLetter(language[0]) || !isLetter(language[1])) {
		return "", badRequest("invalid language code specified")
	}
	return commandKey(scope.Type, scope.ChatID, language), nil
}

func commandKey(kind string, chat int64, language string) string {
	return fmt.Sprintf("%s/%d/%s", kind, chat, language)
}

func (s *Server) setMyCommands(c *call) (any, error) {
	var commands []Command
	if err := c.args.object("commands", "commands", &commands); err != nil {
		return nil, err
	}
	key, err := commandScope(c)
	if err != nil {
		return nil, err
	}
	if len(commands) > 100 {
		return nil, badRequest("BOT_COMMANDS_TOO_MUCH")
	}
	for i, command := range commands {
		if command.Command != "" && command.Command[0] == '/' {
			commands[i].Command = command.Command[1:]
		}
		if !commandPattern.MatchString(commands[i].Command) {
			return nil, badRequest("BOT_COMMAND_INVALID")
		}
		if n := characters(command.Description); n < 1 || n > 256 {
			return nil, badRequest("BOT_COMMAND_DESCRIPTION_INVALID")
		}
	}
	if len(commands) == 0 {
		delete(c.bot.Commands, key)
	} else {
		c.bot.Commands[key] = commands
	}
	s.touchChats(c)
	return true, nil
}

func (s *Server) deleteMyCommands(c *call) (any, error) {
	key, err := commandScope(c)
	if err != nil {
		return nil, err
	}
	delete(c.bot.Commands, key)
	s.touchChats(c)
	return true, nil
}

func (s *Server) touchChats(c *call) {
	c.saveBot(c.bot)
	for person, ch := range c.bot.chats {
		c.touch(c.bot, person, ch)
	}
}

func (s *Server) getMyCommands(c *call) (any, error) {
	key, err := commandScope(c)
	if err != nil {
		return nil, err
	}
	return append([]Command{}, c.bot.Commands[key]...), nil
}

// commandsFor is the menu that a person sees: of the nearest scope, in their language before any.
func (b *bot) commandsFor(p *Person) []Command {
	for _, kind := range []struct {
		name string
		chat int64
	}{{"chat", p.ID}, {"all_private_chats", 0}, {"default", 0}} {
		for _, language := range []string{p.LanguageCode, ""} {
			if commands := b.Commands[commandKey(kind.name, kind.chat, language)]; commands != nil {
				return commands
			}
		}
	}
	return []Command{}
}

func (st *state) sortBots() {
	sort.SliceStable(st.botOrder, func(i, j int) bool { return st.botOrder[i].Order < st.botOrder[j].Order })
}
