package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func batch(epoch any, limit int) A { return A{"p_epoch": epoch, "p_limit": limit} }

func (b *bundle) status(id string) any {
	b.Helper()
	return b.owner.Value("select status::text from billing.purchase where purchase_id = $1", id)
}

func TestExpireDue(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	old := b.Open(anna, "basic", 1, "old")
	other := b.Topup(bert, 25000, "other")
	paid := b.Buy(anna, "basic", 1, "paid")["purchase_id"].(string)
	cancelled := b.Open(anna, "basic", 1, "cancelled")
	b.One("billing.cancel_purchase", desk.Mine(anna, cancelled))
	b.owner.At(at.Add(time.Minute))
	young := b.Open(anna, "basic", 1, "young")

	b.owner.At(at.Add(30*time.Minute - time.Microsecond))
	require.Equal(t, Row{"expired": 0}, b.One("billing.expire_due", batch(nil, 10)))
	b.owner.At(at.Add(30 * time.Minute))
	require.Equal(t, Row{"expired": 2}, b.One("billing.expire_due", batch(nil, 10)))
	require.Equal(t, Row{"expired": 0}, b.One("billing.expire_due", batch(nil, 10)))
	for id, status := range map[string]string{
		old: "expired", other: "expired", paid: "paid", cancelled: "cancelled", young: "open"} {
		require.Equal(t, status, b.status(id))
	}
	require.Equal(t, 1, b.count("billing.purchase where expiry_check_at is not null"), "each is looked at once")
}

func TestExpireDueIsFenced(t *testing.T) {
	b := setup(t)
	lease := func(holder string) any {
		return b.One("ops.acquire_lease", A{"p_name": "billing.expire_due", "p_holder": holder, "p_ttl": "30 seconds"})["epoch"]
	}
	id := b.Open(anna, "basic", 1, "k")
	first := lease("one").(int)
	b.owner.Later("31 minutes")
	require.Equal(t, first+1, lease("two"))
	require.Contains(t, b.Refused("OP002", "billing.expire_due", batch(first, 10)).Detail, "billing.expire_due")
	require.Equal(t, "open", b.status(id))
	require.Equal(t, Row{"expired": 1}, b.One("billing.expire_due", batch(first+1, 10)))
}

func TestExpireDueTakesAtMostSoMany(t *testing.T) {
	b := setup(t)
	for id := 3000; id < 3005; id++ {
		b.User(id)
		b.Open(id, "basic", 1, "k")
	}
	b.owner.Later("31 minutes")
	for _, want := range []int{2, 2, 1, 0} {
		require.Equal(t, Row{"expired": want}, b.One("billing.expire_due", batch(nil, 2)))
	}
}

func TestOneBadRowDoesNotStopTheOthers(t *testing.T) {
	for how, poison := range map[string]string{
		"a trigger that fails": `
			create function billing.poison() returns trigger language plpgsql as $$ begin
			  if old.telegram_id = 1001 and new.status <> old.status then
			    raise exception 'poisoned' using errcode = '23514';
			  end if;
			  return new;
			end $$;
			create trigger poison before update on billing.purchase for each row execute function billing.poison()`,
		"a row that breaks a constraint": `
			alter table billing.purchase add constraint poison check (telegram_id <> 1001) not valid`,
	} {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			b.harness.BooksAreWrong("a purchase of Anna's cannot be closed")
			bad := b.Open(anna, "basic", 1, "k")
			good := b.Open(bert, "basic", 1, "k")
			b.script(poison)
			b.owner.Later("31 minutes")

			require.Equal(t, Row{"expired": 1}, b.One("billing.expire_due", batch(nil, 10)))
			require.Equal(t, "open", b.status(bad))
			require.Equal(t, "expired", b.status(good))
			dead := b.Query("select job_name, subject, error <> '' as says_why from ops.dead_letter")
			require.Equal(t, []Row{{"job_name": "billing.expire_due", "subject": "telegram_id:1001", "says_why": true}}, dead)
			require.Equal(t, []Row{{"check_name": "dead_letter", "subject": "billing.expire_due telegram_id:1001"}},
				b.Query("select check_name, subject from ops.reconcile()"), "and reconcile shows it")

			late := b.Open(bert, "basic", 1, "late")
			b.owner.Later("62 minutes")
			require.Equal(t, Row{"expired": 1}, b.One("billing.expire_due", batch(nil, 1)),
				"it does not stand in the others' way the next time")
			require.Equal(t, "expired", b.status(late))
		})
	}
}

func TestOtherErrorsStopTheBatch(t *testing.T) {
	b := setup(t)
	id := b.Open(anna, "basic", 1, "k")
	b.script(`
		create function billing.poison() returns trigger language plpgsql as $$ begin
		  raise exception 'try again' using errcode = '40P01';
		end $$;
		create trigger poison before update on billing.purchase for each row execute function billing.poison()`)
	b.owner.Later("31 minutes")
	_, err := b.Try("billing.expire_due", batch(nil, 10))
	require.Equal(t, "40P01", desk.Code(err), "what is to be tried again is not buried")
	require.Equal(t, "open", b.status(id))
	require.Empty(t, b.Query("select * from ops.dead_letter"))
}
