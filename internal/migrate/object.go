package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

type kind string

const (
	kindFunction kind = "function"
	kindView     kind = "view"
)

// object is one file under sql/functions or sql/views: a function or a view with its COMMENT and GRANT.
type object struct {
	kind   kind
	schema string
	name   string
	text   string // the file, verbatim, with one newline at its end
}

// key is the path below sql/, such as functions/wallet/credit.sql.
func (o object) key() string {
	return string(o.kind) + "s/" + o.schema + "/" + o.name + ".sql"
}

func (o object) qualified() string { return o.schema + "." + o.name }

func (o object) isHelper() bool { return strings.HasPrefix(o.name, "_") }

// objects is a set of them by key.
type objects map[string]object

func (s objects) keys() []string { return slices.Sorted(maps.Keys(s)) }

// loadObjects reads the function and view files; project has the configured folders.
func loadObjects(project fs.FS, c Config) (objects, error) {
	all := objects{}
	for k, dir := range map[kind]string{kindFunction: c.Folders.Functions, kindView: c.Folders.Views} {
		err := fs.WalkDir(project, dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			o, err := readObject(project, k, dir, file)
			if err != nil {
				return err
			}
			all[o.key()] = o
			return nil
		})
		if errors.Is(err, fs.ErrNotExist) {
			continue // a project may have no views yet
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", dir, err)
		}
	}
	return all, nil
}

func readObject(project fs.FS, k kind, dir, file string) (object, error) {
	below := strings.TrimPrefix(file, dir+"/")
	parts := strings.Split(below, "/")
	if !objectPath.MatchString(below) {
		return object{}, fmt.Errorf("%s: only <schema>/<name>.sql in lower case belongs here", file)
	}
	raw, err := fs.ReadFile(project, file)
	if err != nil {
		return object{}, fmt.Errorf("read: %w", err)
	}
	if bytes.Contains(raw, []byte("+goose")) {
		return object{}, fmt.Errorf("%s: the word +goose would end it early in a migration", file)
	}
	return object{kind: k, schema: parts[0], name: strings.TrimSuffix(parts[1], ".sql"), text: normalise(string(raw))}, nil
}

// parseKey is the inverse of key.
func parseKey(key string) (kind, string, string, error) {
	parts := strings.Split(strings.TrimSuffix(key, ".sql"), "/")
	if len(parts) != 3 || !strings.HasSuffix(key, ".sql") {
		return "", "", "", fmt.Errorf("%q is not the path of a function or a view", key)
	}
	for _, k := range []kind{kindFunction, kindView} {
		if parts[0] == string(k)+"s" {
			return k, parts[1], parts[2], nil
		}
	}
	return "", "", "", fmt.Errorf("%q is not the path of a function or a view", key)
}

func normalise(text string) string {
	return strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n \t") + "\n"
}

var (
	objectPath   = regexp.MustCompile(`^[a-z_][a-z0-9_]*/[a-z_][a-z0-9_]*\.sql$`)
	lineComment  = regexp.MustCompile(`--[^\n]*`)
	blockComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	blanks       = regexp.MustCompile(`\s+`)
	grantOrNot   = regexp.MustCompile(`(?is)\b(?:grant|revoke)\s[^;]*;`)
	language     = regexp.MustCompile(`(?i)\blanguage\b`)
	sqlLanguage  = regexp.MustCompile(`(?i)\blanguage\s+sql\b`)
	stringBody   = regexp.MustCompile(`(?i)\bas\s+[$']`)
	defaultValue = regexp.MustCompile(`(?i)\bdefault\b`)
	triggerMade  = regexp.MustCompile(`(?is)\bcreate\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger\s+(\S+)\s.*?\son\s+(\S+)`)
)

// code is the text without comments. A `--` inside a string is taken for a comment: good enough to look
// for names and words, which is all it is for.
func code(text string) string {
	return lineComment.ReplaceAllString(blockComment.ReplaceAllString(text, " "), "")
}

// shape is what `create or replace` cannot change (name, parameters, result) or leaves standing
// (grants): when it differs, the function is dropped and made again.
func (o object) shape() string {
	grants := grantOrNot.FindAllString(code(o.text), -1)
	return strings.ToLower(blanks.ReplaceAllString(o.head()+strings.Join(grants, " "), " "))
}

// head is the code up to the word language: name, parameters, result.
func (o object) head() string {
	text := code(o.text)
	if at := language.FindStringIndex(text); at != nil {
		return text[:at[0]]
	}
	return text
}

// isEarlyBound tells whether PostgreSQL resolves names in it when it is made, and remembers them as
// dependencies: views, SQL functions whose body is not a string, and defaults of parameters.
func (o object) isEarlyBound() bool {
	if o.kind == kindView || defaultValue.MatchString(o.head()) {
		return true
	}
	text := code(o.text)
	return sqlLanguage.MatchString(text) && !stringBody.MatchString(text)
}

// mentions tells whether the text names another object.
func (o object) mentions(other object) bool {
	name := regexp.MustCompile(`(?i)(^|[^\w.])` + regexp.QuoteMeta(other.qualified()) + `($|\W)`)
	return name.MatchString(code(o.text))
}
