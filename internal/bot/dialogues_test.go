package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/sandbox/botapi"
)

// TestEveryDialogue puts each of the bot's dialogues through what can happen to it.
func TestEveryDialogue(t *testing.T) {
	t.Parallel()
	made, err := bot.New(bot.Parts{})
	require.NoError(t, err)
	for _, kind := range made.Kinds() {
		assert.Contains(t, talked, kind, "nobody knows how this dialogue goes: add to talks_test.go\n"+
			"    _ = talks(%q, talk{come: (*stage).customer, says: []string{\"/profile\", \"[verb]\", \"what is typed\"}, done: `select …`})", kind)
	}
	for kind, each := range talked {
		require.Contains(t, made.Kinds(), kind, "no dialogue has this name any more")
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			d := &dialogues{stage: newStage(t), kind: kind, talk: each}
			d.isFinished()
			d.isLeft()
			d.survivesItsBot()
			d.takesNoNonsense()
			d.isOnTwoDevices()
			require.NotContains(t, d.log.String(), `"level":"ERROR"`)
			require.Empty(t, d.desk.Query("select * from ops.reconcile()"))
		})
	}
}

// dialogues tries one dialogue in all ways.
type dialogues struct {
	*stage
	talk
	kind  string
	steps []string // where the person stands after each word of the talk: "withdraw.amount", or nowhere
}

// begin lets a new person come.
func (d *dialogues) begin() {
	d.t.Helper()
	d.enter(actor{come: d.come}, "en")
	d.forget()
	require.Zero(d.t, d.outcome(), "the person has done it before it begins")
}

// say does so many of the talk's words.
func (d *dialogues) say(count int) {
	d.t.Helper()
	for i := range count {
		d.says1(d.says[i])
		if i < len(d.steps) {
			require.Equal(d.t, d.steps[i], d.step(), "after %q, word %d of the talk", d.says[i], i+1)
		}
	}
}

// says1 does one thing and waits until it is over.
func (d *dialogues) says1(word string) {
	d.t.Helper()
	if verb, isPress := pressed(word); isPress {
		message, data := d.buttonOf(verb)
		counts := d.handled()
		answer, err := d.me.PressData(d.ctx, message, data)
		require.NoError(d.t, err)
		require.True(d.t, answer.IsAnswered)
		d.handledSince(counts)
		return
	}
	d.write(d.fill(word))
}

// write sends a text, and waits for the one answer.
func (d *dialogues) write(text string) botapi.ChatMessage {
	d.t.Helper()
	before, counts := d.view(), d.handled()
	if text == "" { // a sticker, say: Telegram sends no empty text
		_, err := d.me.Update(d.ctx, "message", map[string]any{
			"message_id": 1_000_000, "date": 1, "chat": map[string]any{"id": d.me.ID, "type": "private"},
			"from": map[string]any{"id": d.me.ID, "is_bot": false, "first_name": d.me.FirstName},
		})
		require.NoError(d.t, err)
	} else {
		_, err := d.me.Send(d.ctx, text)
		require.NoError(d.t, err)
	}
	d.handledSince(counts)
	answers := changed(before, d.view())
	require.Len(d.t, answers, 1, "to %.40q", text)
	require.NotEqual(d.t, "other", d.refusal(answers[0]), "to %.40q", text)
	return answers[0]
}

func pressed(word string) (verb string, isPress bool) {
	return strings.Trim(word, "[]"), strings.HasPrefix(word, "[") && strings.HasSuffix(word, "]")
}

// buttonOf finds the newest button of a verb.
func (d *dialogues) buttonOf(verb string) (int, string) {
	d.t.Helper()
	message, button := d.button(d.view(), 0, func(each botapi.Button) bool { return string(verbOf(each)) == verb })
	return message, button.CallbackData
}

// outcome is how often the dialogue has done its work for the person.
func (d *dialogues) outcome() int {
	d.t.Helper()
	if d.isReading {
		return 0
	}
	return d.count(d.t, d.fill(d.done))
}

// isOver demands that the dialogue is gone, and so are its questions.
func (d *dialogues) isOver(outcome int) {
	d.t.Helper()
	if !d.isReading {
		require.Equal(d.t, outcome, d.outcome())
	}
	d.says1("/start")
	require.Empty(d.t, d.step())
	require.True(d.t, d.shows(d.write("600"), "unknown.text"), "something is still asked")
	if !d.isReading {
		require.Equal(d.t, outcome, d.outcome())
	}
}

// isFinished goes to the end, and notes where the person stands after each word.
func (d *dialogues) isFinished() {
	d.t.Helper()
	d.begin()
	for _, word := range d.says {
		d.says1(word)
		d.steps = append(d.steps, d.step())
	}
	last := d.steps[len(d.steps)-1]
	require.True(d.t, last == "" || last == d.kind+".opened", "it does not end: %s", last)
	require.True(d.t, slices.ContainsFunc(d.steps, d.isMine), "the talk is of another dialogue: %v", d.steps)
	d.isOver(1)
}

// isMine says whether a step is this dialogue's.
func (d *dialogues) isMine(step string) bool { return strings.HasPrefix(step, d.kind+".") }

// isLeft leaves by /start wherever something is asked. What was on the buttons then means nothing any more.
func (d *dialogues) isLeft() {
	d.t.Helper()
	for i := range len(d.says) - 1 {
		if !d.isMine(d.steps[i]) {
			continue
		}
		d.begin()
		d.say(i + 1)
		old := d.lastMessage(d.t, d.me)
		d.says1("/start")
		d.isOver(0)
		if verb, isPress := pressed(d.says[i+1]); isPress {
			if data := dataOf(old, verb); data != "" {
				d.forge(d.t, d.me, old.MessageID, data)
				require.LessOrEqual(d.t, d.outcome(), 1)
			}
		}
	}
}

func dataOf(m botapi.ChatMessage, verb string) string {
	for _, button := range slices.Concat(rowsOf(m)...) {
		if string(verbOf(button)) == verb {
			return button.CallbackData
		}
	}
	return ""
}

// survivesItsBot has another bot for every word.
func (d *dialogues) survivesItsBot() {
	d.t.Helper()
	d.begin()
	for i, word := range d.says {
		d.another()
		d.says1(word)
		require.Equal(d.t, d.steps[i], d.step(), "after %q", word)
	}
	d.another()
	d.isOver(1)
}

// another stops the bot and starts another.
func (d *dialogues) another() {
	d.t.Helper()
	d.running.stop()
	d.start()
}

// nonsense is what people type instead of an answer, or to see what happens.
var nonsense = []string{
	"", strings.Repeat("я", 4096), "<b>bold</b> &amp; <script>alert(1)</script>", "\u202eevil\u202c \u200b", "😀👨‍👩‍👧‍👦🏳️‍🌈", "\x01\x1b[31m\ufffe",
	"-1", "0", "99999999999999999999999999", "1e9", "NaN", "'; drop table wallet.wallet; --", "{{.name}} %s %n", "null",
}

// takesNoNonsense types all of it at every step: each is answered by one screen, and by itself nothing is done.
func (d *dialogues) takesNoNonsense() {
	d.t.Helper()
	for i := range len(d.says) - 1 {
		if !d.isMine(d.steps[i]) {
			continue
		}
		d.begin()
		d.say(i + 1)
		for _, text := range nonsense {
			if d.step() != d.steps[i] { // it was an answer, if an odd one: a name or a note may be anything
				d.begin()
				d.say(i + 1)
			}
			d.write(text)
			d.forget2()
			require.Zero(d.t, d.outcome(), "%.40q at %s", text, d.steps[i])
		}
	}
	d.isOver(0)
}

// forget2 forgets how often something was tried, but not the dialogue.
func (d *dialogues) forget2() {
	d.t.Helper()
	kept := d.dialogue(d.t, d.me)
	d.forget()
	if kept != "" {
		require.NoError(d.t, d.redis.Set(fmt.Sprintf("test:dialogue:{%d}", d.me.ID), kept))
	}
}

// isOnTwoDevices does each step twice at once, with two bots at work, and then goes on as far as the talk still fits.
func (d *dialogues) isOnTwoDevices() {
	d.t.Helper()
	d.start()
	for i := slices.IndexFunc(d.steps, d.isMine) + 1; i < len(d.says); i++ {
		d.begin()
		d.say(i)
		d.twice(d.says[i])
		next := i + 1
		for next < len(d.says) && d.step() == d.steps[next-1] {
			d.says1(d.says[next])
			next++
		}
		isDone := next == len(d.says) && d.step() == d.steps[next-1]
		require.LessOrEqual(d.t, d.outcome(), 1, "word %d of %v, twice at once", i+1, d.says)
		if _, isPress := pressed(d.says[i]); isPress {
			require.True(d.t, isDone, "after a press twice at once (word %d of %v) the person stands at %q", i+1, d.says, d.step())
		}
		if isDone {
			d.isOver(1)
		}
		d.says1("/start")
		require.Empty(d.t, d.step())
	}
}

// twice says or presses the same thing on two devices at once, and waits until both are worked off.
func (d *dialogues) twice(word string) {
	d.t.Helper()
	verb, isPress := pressed(word)
	if isPress {
		message, data := d.buttonOf(verb)
		d.together(d.t, d.me, message, data)
	} else {
		var both errgroup.Group
		for range 2 {
			both.Go(func() error { _, err := d.me.Send(d.ctx, d.fill(word)); return err })
		}
		require.NoError(d.t, both.Wait())
		d.waitAnswers(2)
	}
	d.waitHandled(d.t)
}

// waitAnswers waits until the last so many messages of the chat are the bot's, one to each of the person's.
func (d *dialogues) waitAnswers(count int) {
	d.t.Helper()
	_, err := d.me.WaitChat(d.ctx, func(view botapi.ChatView) bool {
		sent, answered := 0, 0
		for _, m := range slices.Backward(view.Messages) {
			if m.IsOutgoing {
				answered++
			} else if sent++; sent == count {
				break
			}
		}
		return answered >= count
	})
	require.NoError(d.t, err)
}
