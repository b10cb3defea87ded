package history

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// wallet is the state of the model.
type wallet struct{ available, held, debt, version int64 }

// step is what happened to a wallet at one moment between two times.
type step struct {
	user int64
	text string
	// rows are the ledger rows of an effect, in the order of versions: each makes the next version and leaves its balances.
	rows []Transfer
	// lost is what an acknowledged effect without ledger rows should have done to available and held.
	lost *wallet
	// told are the answers with balances; they hold after the rows.
	told []balances
	// short is a refusal for want of money: less than need is available, or there is a debt and isDebtEnough.
	short        bool
	need         int64
	isDebtEnough bool
}

// balances of an answer; nil where it does not tell.
type balances struct{ available, held, debt, version *int64 }

func (b balances) fits(w wallet) bool {
	same := func(told *int64, is int64) bool { return told == nil || *told == is }
	return same(b.available, w.available) && same(b.held, w.held) && same(b.debt, w.debt) && same(b.version, w.version)
}

// model is a wallet that does one thing at a time.
func model() porcupine.Model {
	return porcupine.Model{
		Init:              func() any { return wallet{} },
		Step:              func(state, input, _ any) (bool, any) { return input.(*step).from(state.(wallet)) },
		DescribeOperation: func(input, _ any) string { return input.(*step).text },
		DescribeState: func(state any) string {
			w := state.(wallet)
			return fmt.Sprintf("version %d: %d available, %d held, %d debt", w.version, w.available, w.held, w.debt)
		},
	}
}

func (s *step) from(w wallet) (bool, any) {
	for _, row := range s.rows {
		w.version++
		w.available += row.change("available")
		w.held += row.change("held")
		w.debt -= row.change("debt") // what the shop is owed grows when it is debited
		if (w != wallet{row.Available, row.Held, row.Debt, row.Version}) {
			return false, w
		}
	}
	if s.lost != nil {
		w.version++
		w.available += s.lost.available
		w.held += s.lost.held
	}
	if min(w.available, w.held, w.debt) < 0 {
		return false, w
	}
	for _, told := range s.told {
		if !told.fits(w) {
			return false, w
		}
	}
	if s.short && w.available >= s.need && !(s.isDebtEnough && w.debt > 0) {
		return false, w
	}
	return true, w
}

// undecided is how long the search for an order of one wallet may take.
const undecided = 20 * time.Second

// Linearizable demands of every wallet an order of the operations on it that agrees with their answers, with the ledger's
// rows and with real time: what ended before something else began comes before it. Where there is none, the operations
// and the longest order found are saved in folder as a page to look at.
func Linearizable(ops []Op, s *Snapshot, folder func() (string, error)) []Violation {
	var violations []Violation
	steps := stepsOf(ops, s)
	for _, id := range slices.Sorted(maps.Keys(steps)) {
		switch porcupine.CheckOperationsTimeout(model(), steps[id], undecided) {
		case porcupine.Ok:
		case porcupine.Unknown:
			violations = append(violations, Violation{"linearizable", user(id),
				fmt.Sprintf("no order of %d steps was found in %s, nor that there is none", len(steps[id]), undecided)})
		default:
			violations = append(violations, Violation{"linearizable", user(id),
				fmt.Sprintf("no order of %d steps explains the answers; %s", len(steps[id]), draw(id, steps[id], folder))})
		}
	}
	return violations
}

// draw saves the search for an order and says where.
func draw(id int64, steps []porcupine.Operation, folder func() (string, error)) string {
	_, info := porcupine.CheckOperationsVerbose(model(), steps, undecided)
	dir, err := folder()
	if err != nil {
		return err.Error()
	}
	path := filepath.Join(dir, fmt.Sprintf("wallet-%d.html", id))
	file, err := os.Create(path)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	if err := porcupine.Visualize(model(), info, file); err != nil {
		return err.Error()
	}
	return "see " + path
}

// stepsOf turns operations and ledger rows into the steps of each wallet.
func stepsOf(ops []Op, s *Snapshot) map[int64][]porcupine.Operation {
	steps := map[int64][]porcupine.Operation{}
	add := func(client int, from, to time.Duration, input *step) {
		if input.user == 0 {
			return
		}
		steps[input.user] = append(steps[input.user], porcupine.Operation{
			ClientId: client, Input: input, Call: int64(from), Return: int64(to),
		})
	}
	effects, ofJobs := s.effects(ops)
	for _, e := range effects {
		from, to := e.window()
		if input := e.step(); input != nil && from != ever {
			add(e.ops[0].Client, from, to, input)
		}
	}
	for _, row := range ofJobs {
		add(jobs, 0, ever, &step{user: row.TelegramID, text: row.Reason, rows: []Transfer{row}})
	}
	for i := range ops {
		if input := ops[i].reading(); input != nil {
			add(ops[i].Client, ops[i].Last, ops[i].End, input)
		}
	}
	for _, list := range steps {
		slices.SortFunc(list, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	}
	return steps
}

// jobs is the client that porcupine's page shows for what no client asked for.
const jobs = 1000

// step is the effect's; nil if nothing of it concerns a wallet.
func (e *effect) step() *step {
	input := &step{user: e.user, rows: e.rows}
	var texts []string
	isDone := len(e.rows) > 0
	for _, op := range e.ops {
		if !op.IsAcknowledged() {
			continue
		}
		texts = append(texts, op.String())
		if told := op.balances(); told != (balances{}) {
			input.told = append(input.told, told)
			isDone = true
		}
		if len(e.rows) == 0 && op.wanted() {
			input.lost = op.expected()
		}
	}
	if !isDone {
		return nil
	}
	input.text = e.name + "\n" + strings.Join(texts, "\n")
	return input
}

// expected is what an operation does to available and held; nil where only the ledger knows.
func (o *Op) expected() *wallet {
	switch o.Function {
	case "wallet.credit":
		return &wallet{available: o.Amount}
	case "wallet.debit", "billing.pay_from_balance":
		return &wallet{available: -o.Amount}
	case "withdrawal.request", "withdrawal.submit":
		return &wallet{available: -o.Amount, held: o.Amount}
	default:
		return nil
	}
}

// balances are those that the answer tells as of the effect.
func (o *Op) balances() balances {
	var b balances
	set := func(to **int64, column string) {
		if value, ok := o.number(column); ok {
			*to = &value
		}
	}
	switch o.Function {
	case "wallet.credit", "wallet.debit", "withdrawal.request", "withdrawal.submit":
		set(&b.available, "available_kopecks")
		set(&b.held, "held_kopecks")
	case "billing.pay_from_balance":
		set(&b.available, "available_kopecks")
	case "wallet.balance":
		set(&b.available, "available_kopecks")
		set(&b.held, "held_kopecks")
		set(&b.debt, "debt_kopecks")
		set(&b.version, "version")
	}
	return b
}

// reading is the step of an operation that changed nothing and yet tells something: a balance, or too little of it.
func (o *Op) reading() *step {
	switch {
	case o.IsOpen:
		return nil
	case o.Function == "wallet.balance" && o.Code == "":
		return &step{user: o.User, text: o.String(), told: []balances{o.balances()}}
	case o.Code == "WA001":
		return &step{user: o.User, text: o.String(), short: true, need: o.Amount,
			isDebtEnough: strings.HasPrefix(o.Function, "withdrawal.")}
	default:
		return nil
	}
}
