package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ErrVerify means that a check found problems; they were reported.
var ErrVerify = errors.New("the SQL does not verify")

// Goldens are the generated descriptions of the database, beside the folders they are made from.
const (
	schemaGolden   = "sql/schema.sql"
	contractGolden = "sql/contract.txt"
)

// Check is the outcome of one check.
type Check struct {
	Name     string
	Problems []string
	// Skipped says why the check did not run; empty when it did.
	Skipped  string
	Duration time.Duration
}

// VerifyOptions of Verify.
type VerifyOptions struct {
	// DSN of a superuser on a server for scratch databases; empty means a throw-away server.
	DSN string
	// NoSkips makes a skipped check a problem, for CI.
	NoSkips bool
	// Report is told of each check when it is done.
	Report func(Check)
}

type verifier struct {
	project Project
	opts    VerifyOptions
	files   objects
	history []migration
	scratch *scratch
	failed  bool
}

// Verify proves that files, migrations and goldens describe the same database, that the way down works,
// and that functions keep the rules of this project. It returns ErrVerify when one check found problems.
func Verify(ctx context.Context, p Project, opts VerifyOptions) error {
	v := &verifier{project: p, opts: opts}
	if err := v.read(); err != nil {
		return err
	}
	v.check("migrations are as written ("+sumsFile+")", v.sums)
	v.check("function and view files = last snapshot", v.snapshot)
	isStale := v.failed
	v.check("files: names, headers, comments, forbidden words, width", func() ([]string, error) { return lintFiles(v.files), nil })
	if !isStale { // else the database would be of another day than the files
		if err := v.database(ctx); err != nil {
			return err
		}
	}
	if v.failed {
		return ErrVerify
	}
	return nil
}

func (v *verifier) read() error {
	var err error
	if v.files, err = loadObjects(v.project.files(), v.project.Config); err != nil {
		return err
	}
	v.history, err = loadMigrations(v.project.Migrations())
	return err
}

func (v *verifier) check(name string, run func() ([]string, error)) {
	v.checkOrSkip(name, func() ([]string, string, error) {
		problems, err := run()
		return problems, "", err
	})
}

func (v *verifier) checkOrSkip(name string, run func() ([]string, string, error)) {
	started := time.Now()
	problems, skipped, err := run()
	if err != nil {
		problems = append(problems, err.Error())
	}
	if skipped != "" && v.opts.NoSkips {
		problems, skipped = append(problems, skipped), ""
	}
	v.failed = v.failed || len(problems) > 0
	v.opts.Report(Check{Name: name, Problems: problems, Skipped: skipped, Duration: time.Since(started)})
}

func (v *verifier) sums() ([]string, error) {
	sums, err := readSums(v.project.Migrations())
	if err != nil {
		return nil, err
	}
	return compareSums(v.history, sums), nil
}

func (v *verifier) snapshot() ([]string, error) {
	state, err := replay(v.history)
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, key := range v.files.keys() {
		switch old, ok := state[key]; {
		case !ok:
			problems = append(problems, "sql/"+key+" is in no snapshot: run `make sql/snapshot`")
		case old.text != v.files[key].text:
			problems = append(problems, "sql/"+key+" is not what the last snapshot has: run `make sql/snapshot`")
		}
	}
	for _, key := range state.keys() {
		if _, ok := v.files[key]; !ok {
			problems = append(problems, "sql/"+key+" is gone and the last snapshot still has it: run `make sql/snapshot`")
		}
	}
	return problems, nil
}

// database runs the checks that need a server.
func (v *verifier) database(ctx context.Context) (err error) {
	if v.scratch, err = openScratch(ctx, v.project.Config, v.opts.DSN); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.scratch.close()) }()
	var replayed string
	var isReplayed bool
	v.check("migrations apply ("+v.scratch.describe()+")", func() (_ []string, err error) {
		replayed, err = v.scratch.migrated(ctx, "replayed", v.project.Migrations())
		isReplayed = err == nil
		return nil, err
	})
	if !isReplayed {
		return nil
	}
	v.check("bodies compile", func() ([]string, error) { return v.scratch.compileBodies(ctx, replayed, v.files) })
	v.check("replayed database = files loaded directly", func() ([]string, error) { return v.direct(ctx, replayed) })
	v.check("up, down and up again, step by step", func() ([]string, error) { return v.upDownUp(ctx, replayed) })
	v.check("catalog: comments, grants, search_path, owners", func() ([]string, error) {
		return v.scratch.lintCatalog(ctx, replayed, v.files)
	})
	v.checkOrSkip("plpgsql_check", func() ([]string, string, error) { return v.scratch.checkFunctions(ctx, replayed) })
	v.checkOrSkip("goldens: "+schemaGolden+", "+contractGolden, func() ([]string, string, error) { return v.goldens(ctx, replayed) })
	return nil
}

// upDownUp goes up step by step, down step by step through the same states, and up again at once.
func (v *verifier) upDownUp(ctx context.Context, replayed string) (problems []string, err error) {
	dsn, err := v.scratch.database(ctx, "steps")
	if err != nil {
		return nil, err
	}
	m, err := Open(ctx, dsn, v.project.Config, v.project.Migrations())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	versions := append([]int64{0}, m.Versions()...)
	states := make([]string, len(versions))
	for i, version := range versions {
		if version > 0 {
			if _, err := m.UpTo(ctx, version); err != nil {
				return nil, err
			}
		}
		if states[i], err = v.scratch.dump(ctx, dsn); err != nil {
			return nil, err
		}
	}
	for i, version := range slices.Backward(versions[:len(versions)-1]) {
		if _, err := m.DownTo(ctx, version); err != nil {
			return nil, fmt.Errorf("down to %d: %w", version, err)
		}
		state, err := v.scratch.dump(ctx, dsn)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("version %d on the way ", version)
		problems = append(problems, difference(states[i], state, name+"up", name+"down")...)
	}
	if _, err := m.Up(ctx); err != nil {
		return problems, fmt.Errorf("up again: %w", err)
	}
	again, err := v.scratch.dump(ctx, dsn)
	if err != nil {
		return problems, err
	}
	first, err := v.scratch.dump(ctx, replayed)
	return append(problems, difference(first, again, "first up", "up again")...), err
}

func (v *verifier) goldens(ctx context.Context, replayed string) ([]string, string, error) {
	if v.scratch.major != goldenMajor {
		return nil, fmt.Sprintf("they are made with PostgreSQL %d and this is %d", goldenMajor, v.scratch.major), nil
	}
	wanted, err := v.scratch.goldens(ctx, replayed, v.files)
	if err != nil {
		return nil, "", err
	}
	var problems []string
	for _, file := range []string{schemaGolden, contractGolden} {
		have, err := os.ReadFile(filepath.Join(v.project.Root, filepath.FromSlash(file)))
		if err != nil {
			problems = append(problems, file+" is missing: run `make sql/snapshot`")
			continue
		}
		if found := difference(string(have), wanted[file], file, "the database"); len(found) > 0 {
			problems = append(problems, file+" is stale: run `make sql/snapshot`")
			problems = append(problems, found...)
		}
	}
	return problems, "", nil
}

func (s *scratch) goldens(ctx context.Context, dsn string, files objects) (map[string]string, error) {
	schema, err := s.dump(ctx, dsn)
	if err != nil {
		return nil, err
	}
	promised, err := contract(ctx, dsn, files)
	if err != nil {
		return nil, err
	}
	return map[string]string{schemaGolden: schema, contractGolden: promised}, nil
}

// WriteGoldens writes sql/schema.sql and sql/contract.txt anew from the migrations; dsn is as in
// VerifyOptions. On a server of another version than theirs it writes nothing and says so.
func (p Project) WriteGoldens(ctx context.Context, dsn string) (skipped string, err error) {
	v := &verifier{project: p}
	if err := v.read(); err != nil {
		return "", err
	}
	if v.scratch, err = openScratch(ctx, p.Config, dsn); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, v.scratch.close()) }()
	if v.scratch.major != goldenMajor {
		return fmt.Sprintf("goldens are made with PostgreSQL %d and this is %d", goldenMajor, v.scratch.major), nil
	}
	migrated, err := v.scratch.migrated(ctx, "goldens", p.Migrations())
	if err != nil {
		return "", err
	}
	texts, err := v.scratch.goldens(ctx, migrated, v.files)
	if err != nil {
		return "", err
	}
	for file, text := range texts {
		if err := writeFile(filepath.Join(p.Root, filepath.FromSlash(file)), text); err != nil {
			return "", err
		}
	}
	return "", nil
}
