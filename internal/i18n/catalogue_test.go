package i18n_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"atlas-secure/internal/i18n"
)

// forms are a text's plural forms; a text without a count has the form "other" only.
type forms map[string]string

func (f *forms) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*f = forms{"other": node.Value}
		return nil
	}
	var inner map[string]string
	err := node.Decode(&inner)
	*f = inner
	return err
}

func read(t *testing.T, language string) map[string]forms {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("catalogues", language+".yaml"))
	require.NoError(t, err)
	var texts map[string]forms
	require.NoError(t, yaml.Unmarshal(text, &texts))
	return texts
}

func languages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("catalogues/*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 2)
	names := make([]string, 0, len(files))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	return names
}

// pluralForms is what each language needs (CLDR, for whole numbers).
var pluralForms = map[string][]string{"ru": {"few", "many", "one", "other"}, "en": {"one", "other"}}

var placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

func placeholders(f forms) []string {
	var names []string
	for _, text := range f {
		for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(names, match[1]) {
				names = append(names, match[1])
			}
		}
	}
	slices.Sort(names)
	return names
}

func TestEveryLanguageHasTheSameTexts(t *testing.T) {
	t.Parallel()
	canonical := read(t, string(i18n.Canonical))
	for _, language := range languages(t) {
		require.Contains(t, pluralForms, language, "say here which plural forms the language has")
		texts := read(t, language)
		for key := range texts {
			require.Contains(t, canonical, key, "%s has a text that the canonical catalogue has not", language)
		}
		for key, want := range canonical {
			got := texts[key]
			require.NotEmpty(t, got, "%s is missing in %s", key, language)
			require.Equal(t, placeholders(want), placeholders(got), "placeholders of %s in %s", key, language)
			if len(want) > 1 {
				require.ElementsMatch(t, pluralForms[language], keysOf(got), "plural forms of %s in %s", key, language)
				for form, text := range got {
					require.Contains(t, text, "{{.count}}", "%s, %s in %s", key, form, language)
				}
			} else {
				require.Equal(t, []string{"other"}, keysOf(got), "%s in %s", key, language)
			}
		}
	}
}

func keysOf(f forms) []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// sameEverywhere are texts of names only, which are equal in all languages.
var sameEverywhere = regexp.MustCompile(`^(word\.(discount_vip|component_(redis|telegram|cryptopay))|button\.(pay_stars|guide_android|guide_android_tv|guide_windows|guide_macos|guide_linux)|invoice\.title)$`)

// hasWords says whether there is anything to translate beside placeholders and markup.
func hasWords(text string) bool {
	return strings.ContainsFunc(tag.ReplaceAllString(placeholder.ReplaceAllString(text, ""), ""), unicode.IsLetter)
}

func TestNothingIsLeftUntranslated(t *testing.T) {
	t.Parallel()
	canonical := read(t, string(i18n.Canonical))
	for _, language := range languages(t) {
		if language == string(i18n.Canonical) {
			continue
		}
		for key, f := range read(t, language) {
			for form, text := range f {
				isCyrillic := strings.ContainsFunc(text, func(c rune) bool { return unicode.Is(unicode.Cyrillic, c) })
				require.False(t, isCyrillic, "%s (%s) in %s: %s", key, form, language, text)
				if hasWords(text) && !sameEverywhere.MatchString(key) {
					require.NotEqual(t, canonical[key]["other"], text, "%s in %s", key, language)
				}
			}
		}
	}
}

var (
	tag     = regexp.MustCompile(`<(/?)([a-z]+)>`)
	allowed = []string{"b", "i", "s", "u", "code"}
)

func TestMarkupIsWhatTelegramReads(t *testing.T) {
	t.Parallel()
	for _, language := range languages(t) {
		for key, f := range read(t, language) {
			for _, text := range f {
				if i18n.IsPlain(key) {
					require.NotRegexp(t, `</?\w+>|&\w+;`, text, "%s in %s is plain", key, language)
					continue
				}
				var open []string
				for _, match := range tag.FindAllStringSubmatch(text, -1) {
					require.Contains(t, allowed, match[2], "%s in %s", key, language)
					if match[1] == "" {
						open = append(open, match[2])
						continue
					}
					require.NotEmpty(t, open, "%s in %s closes what it did not open", key, language)
					require.Equal(t, open[len(open)-1], match[2], "%s in %s", key, language)
					open = open[:len(open)-1]
				}
				require.Empty(t, open, "%s in %s leaves a tag open", key, language)
				require.NotRegexp(t, `[<>]`, tag.ReplaceAllString(text, ""), "%s in %s has a stray bracket", key, language)
				require.Equal(t, text, strings.ReplaceAll(html.UnescapeString(text), "&", "&amp;"), "%s in %s: escape &", key, language)
			}
		}
	}
}

func TestTextsFitTelegram(t *testing.T) {
	t.Parallel()
	limits := map[string]int{"button.": 40, "alert.": 200, "alert.check_": 200, "command.": 256, "invoice.title": 32, "invoice.description": 200, "": 3000}
	for _, language := range languages(t) {
		for key, f := range read(t, language) {
			for _, text := range f {
				for prefix, limit := range limits {
					if strings.HasPrefix(key, prefix) {
						require.LessOrEqual(t, utf8.RuneCountInString(text), limit, "%s in %s", key, language)
					}
				}
				require.NotEmpty(t, text, "%s in %s", key, language)
			}
		}
	}
}

// usage is what the code says of texts: keys in full, and beginnings of keys whose rest is known at run time only.
type usage struct {
	keys     map[string]bool
	families map[string]bool
	args     map[string][][]string // per key, the names of arguments at each place that lists them
	form     *regexp.Regexp
}

// askers are the functions whose literal argument is a key, wherever its family is: methods of i18n.Text by their first
// argument, screen.press by its second.
var askers = map[string]int{"HTML": 0, "CountHTML": 0, "Plain": 0, "CountPlain": 0, "press": 1}

// keyForm matches what looks like a key of one of the families that the texts have.
func keyForm(texts map[string]forms) *regexp.Regexp {
	var families []string
	for key := range texts {
		family, _, _ := strings.Cut(key, ".")
		families = append(families, regexp.QuoteMeta(family))
	}
	slices.Sort(families)
	return regexp.MustCompile(`^(` + strings.Join(slices.Compact(families), "|") + `)\.[\w.]*$`)
}

func usageIn(t *testing.T, texts map[string]forms, roots ...string) usage {
	t.Helper()
	u := usage{form: keyForm(texts), keys: map[string]bool{}, families: map[string]bool{}, args: map[string][][]string{}}
	for _, root := range roots {
		require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, u.note)
			return nil
		}))
	}
	return u
}

func (u usage) note(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.BinaryExpr:
		if text, ok := stringOf(n.X); ok && n.Op == token.ADD && u.form.MatchString(text) {
			u.families[text] = true
			return false
		}
	case *ast.BasicLit:
		if text, ok := stringOf(n); ok && u.form.MatchString(text) {
			u.keys[text] = true
		}
	case *ast.CallExpr:
		if place, isAsker := askers[nameOf(n.Fun)]; isAsker && len(n.Args) > place {
			if key, ok := stringOf(n.Args[place]); ok {
				u.keys[key] = true
			}
		}
		if len(n.Args) < 2 {
			return true
		}
		key, ok := stringOf(n.Args[0])
		literal, isLiteral := n.Args[len(n.Args)-1].(*ast.CompositeLit)
		if ok && isLiteral && u.form.MatchString(key) {
			u.args[key] = append(u.args[key], namesIn(literal))
		}
	}
	return true
}

func nameOf(function ast.Expr) string {
	switch f := function.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

func stringOf(node ast.Expr) (string, bool) {
	literal, ok := node.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}

func namesIn(literal *ast.CompositeLit) []string {
	var names []string
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if name, ok := stringOf(pair.Key); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func TestCodeAndCatalogueAgree(t *testing.T) {
	t.Parallel()
	texts := read(t, string(i18n.Canonical))
	u := usageIn(t, texts, ".", "../bot", "../worker")
	require.Greater(t, len(u.keys), 50, "the search finds the code")

	for key := range u.keys {
		require.NotEmpty(t, texts[key], "the code asks for a text that is not there: %s", key)
	}
	for family := range u.families {
		require.Condition(t, func() bool {
			for key := range texts {
				if strings.HasPrefix(key, family) {
					return true
				}
			}
			return false
		}, "the code asks for texts that begin with %q", family)
	}
	for key := range texts {
		isUsed := u.keys[key]
		for family := range u.families {
			isUsed = isUsed || strings.HasPrefix(key, family)
		}
		require.True(t, isUsed, "nobody asks for %s", key)
	}
	for key, places := range u.args {
		want := slices.DeleteFunc(placeholders(texts[key]), func(name string) bool { return name == "count" })
		for _, got := range places {
			require.Equal(t, want, got, "arguments of %s", key)
		}
	}
}

// markupOf is what a text marks, in order of the alphabet: the words may stand in another order in another language.
func markupOf(f forms) []string {
	tags := tag.FindAllString(f["other"], -1)
	slices.Sort(tags)
	return tags
}

func TestMarkupIsTheSameInEveryLanguage(t *testing.T) {
	t.Parallel()
	canonical := read(t, string(i18n.Canonical))
	for _, language := range languages(t) {
		for key, f := range read(t, language) {
			require.Equal(t, markupOf(canonical[key]), markupOf(f), "%s in %s", key, language)
		}
	}
}

// TestTextsFitTelegramWithLongArguments: names are cut to some forty characters, amounts and dates are shorter, and what
// people write of their own is cut before it comes into a text.
func TestTextsFitTelegramWithLongArguments(t *testing.T) {
	t.Parallel()
	limits := []struct {
		family      string
		long, limit int // of an argument, and of the text with it
	}{{"button.", 20, 64}, {"alert.", 40, 200}, {"", 500, 4096}}
	for _, language := range languages(t) {
		for key, f := range read(t, language) {
			of := limits[len(limits)-1]
			for _, each := range slices.Backward(limits) {
				if strings.HasPrefix(key, each.family) {
					of = each
				}
			}
			for form, text := range f {
				filled := placeholder.ReplaceAllString(text, strings.Repeat("Ж", of.long))
				shown := utf8.RuneCountInString(tag.ReplaceAllString(filled, ""))
				require.LessOrEqual(t, shown, of.limit, "%s (%s) in %s", key, form, language)
			}
		}
	}
}
