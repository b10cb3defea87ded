package screen

import (
	"strconv"

	"atlas-secure/internal/i18n"
)

// Page is a part of a long list. Whoever reads it asks for one line more than fits, to know whether more follow.
type Page[T any] struct {
	Lines   []T
	IsFirst bool
	HasMore bool
}

// PageOf makes a page of at most size of the lines that were read.
func PageOf[T any](read []T, size int, isFirst bool) Page[T] {
	return Page[T]{Lines: read[:min(size, len(read))], IsFirst: isFirst, HasMore: len(read) > size}
}

// turn has the buttons that turn the pages of a list: to its beginning, and on from the page's last line.
func (p Page[T]) turn(t *i18n.Text, verb Verb, id func(T) string) [][]Button {
	var buttons []Button
	if !p.IsFirst {
		buttons = append(buttons, press(t, "button.to_start", verb))
	}
	if p.HasMore {
		buttons = append(buttons, press(t, "button.further", verb, id(p.Lines[len(p.Lines)-1])))
	}
	if len(buttons) == 0 {
		return nil
	}
	return [][]Button{buttons}
}

func numbered(id int64) string { return strconv.FormatInt(id, 10) }
