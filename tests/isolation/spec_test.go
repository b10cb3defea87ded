package isolation_test

import (
	"fmt"
	"slices"
	"strings"
)

// pairSpec is the spec in which session 1 calls one function, and session 2 each of all while it has not committed. Each
// pair is one permutation: first session 1 rolls back, session 2 sees how the books are then and rolls back, too; then
// the same again with commits.
func pairSpec(first step) string {
	var b, permutations strings.Builder
	fmt.Fprintf(&b, "# %s in session 1, and before that ends each function in session 2.\n", first.name)
	fmt.Fprintf(&b, "# Made from steps_test.go: go test ./tests/isolation -update\n\nsession s0\n")
	var scenes []string
	for _, s := range steps {
		scene := sceneOf(first, s)
		if !slices.Contains(scenes, scene) {
			scenes = append(scenes, scene)
			fmt.Fprintf(&b, "step %s { call scene.set('%s'); }\n", scene, scene)
		}
		fmt.Fprintf(&permutations, "permutation %s first %q rollback books rollback2 first %[2]q commit commit2 books\n",
			scene, s.name)
	}
	fmt.Fprintf(&b, "\nsession s1\nstep first { begin; %s; }\n", indented(first.sql))
	fmt.Fprintf(&b, "step rollback { rollback; }\nstep commit { commit; }\n\nsession s2\n")
	for _, s := range steps {
		fmt.Fprintf(&b, "step %q { begin; %s; }\n", s.name, indented(s.sql))
	}
	fmt.Fprintf(&b, "step books { select * from scene.books(); }\n")
	fmt.Fprintf(&b, "step rollback2 { rollback; }\nstep commit2 { commit; }\n\n")
	return b.String() + permutations.String()
}

func indented(sql string) string { return strings.Join(strings.Fields(sql), " ") }
