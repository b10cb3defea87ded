package bot_test

// The walk (TestEveryRouteIsWalked) goes wherever a person can go: it writes every command, presses every button of every
// screen that it comes to, answers every question of every dialogue, pays every invoice, and writes down what it saw. It
// knows no screen by itself, so that a new one is walked without a new line, with two exceptions:
//
//	a dialogue's step needs something to type      says("withdraw.amount", "600", "all of it") in walk_says_test.go
//	a screen that nobody's state leads to          a new line in actors() in walk_actors_test.go, or more in the
//	                                               state of one who is there
//
// A route that no walk has come to fails the test, and so does a question without an answer. Of every screen it demands
// a way back, buttons that work, Telegram's limits, and one language; see walk_checks_test.go.
//
// Each thing is tried in the state that the actor came in: after something has changed in the database the next walk
// begins in a new one. What is walked first is the shortest way.
//
// The transcript, testdata/transcript_<language>.md, has every screen once, under the first actor who saw it, with the
// route that drew it and the way there. After a change that is meant:
//
//	go test ./internal/bot -run TestEveryRouteIsWalked -update
//
// One actor alone, without the transcript: -run 'TestEveryRouteIsWalked/walks/en/customer$'. What is written differs from
// run to run only if a text does so; walk_transcript_test.go lists what is replaced (fleeting).
