package isolation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// sequence is what comes of two calls one after the other, in one session, and of the second alone.
type sequence struct {
	first, alone, afterFirst meeting
}

// inSequence plays a step's pairs without any concurrency, in one transaction per pair that is rolled back.
func (s *stage) inSequence(first step) ([]sequence, error) {
	scene := ""
	all := make([]sequence, len(steps))
	for i, second := range steps {
		if wanted := sceneOf(first, second); wanted != scene {
			scene = wanted
			if _, err := s.say(fmt.Sprintf("call scene.set_for_calls('%s')", scene)); err != nil {
				return nil, err
			}
		}
		alone, err := s.inTransaction(second)
		if err != nil {
			return nil, err
		}
		both, err := s.inTransaction(first, second)
		if err != nil {
			return nil, err
		}
		all[i] = sequence{both[0], alone[0], both[1]}
	}
	return all, nil
}

// inTransaction makes calls, notes what came of each, and rolls back.
func (s *stage) inTransaction(calls ...step) ([]meeting, error) {
	if _, err := s.say("begin"); err != nil {
		return nil, err
	}
	all := make([]meeting, len(calls))
	for i, call := range calls {
		var err error
		if all[i], err = s.meet(call); err != nil {
			return nil, err
		}
	}
	_, err := s.say("rollback")
	return all, err
}

// meet makes a call and reads the books after it.
func (s *stage) meet(call step) (meeting, error) {
	if _, err := s.say("savepoint before"); err != nil {
		return meeting{}, err
	}
	var m meeting
	var err error
	var refusal *pgconn.PgError
	m.answer, err = s.say(call.sql)
	if errors.As(err, &refusal) {
		m.answer = "ERROR:  " + refusal.Message
		_, err = s.say("rollback to before")
	}
	if err != nil {
		return meeting{}, err
	}
	m.books, err = s.say("select * from scene.books()")
	return m, err
}

// say runs SQL and puts its rows in the words of the outputs.
func (s *stage) say(sql string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	results, err := s.conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", err
	}
	var rows []string
	for _, result := range results {
		names := make([]string, len(result.FieldDescriptions))
		for i, field := range result.FieldDescriptions {
			names[i] = field.Name
		}
		for _, row := range result.Rows {
			values := make([]string, len(row))
			for i := range row {
				values[i] = string(row[i])
			}
			rows = append(rows, told(names, values))
		}
	}
	return strings.Join(rows, "\n"), nil
}
