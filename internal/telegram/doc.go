// Package telegram is the way out to the Bot API: a client whose errors never hold the token and say whether a call can
// have taken effect, and the one sender that bot and worker use, which keeps Telegram's limits.
//
// Every call ends in one of these ways (Classify):
//
//	Delivered    Telegram said yes
//	Refused      Telegram said no, and will say no again (400, 401, 404)
//	Unreachable  the person blocked the bot or is gone (403): do not write to them until they write again
//	Throttled    Telegram said "later" (429)
//	NotSent      the request never left this process: certain not to have happened
//	Unknown      it left, and no answer came back (a timeout, a 5xx, half an answer)
package telegram
