package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// ComponentState is what a worker saw of something that the shop depends on.
type ComponentState struct {
	Component  string     `db:"component"`
	IsCritical bool       `db:"is_critical"`
	State      string     `db:"state"`
	Since      *time.Time `db:"since"`
	CheckedAt  *time.Time `db:"checked_at"`
	CheckedBy  string     `db:"checked_by"`
	Detail     string     `db:"detail"`
}

var opsComponentStatus = define(`select component, is_critical, state, since, checked_at,
  coalesce(checked_by, '') as checked_by, coalesce(detail, '') as detail
from ops.component_status
order by component <> 'service', not is_critical, component`, false)

// ComponentStatus lists what the shop depends on, the service as a whole first.
func (o Ops) ComponentStatus(ctx context.Context) ([]ComponentState, error) {
	return many[ComponentState](ctx, o.db, opsComponentStatus, pgx.StrictNamedArgs{}, bySystem())
}

// ServiceState is how something is, as everybody may know it.
type ServiceState struct {
	Component string     `db:"component"`
	State     string     `db:"state"`
	Since     *time.Time `db:"since"`
}

var opsServiceStatus = define(`select component, state, since
from ops.service_status()`, false).reading()

// ServiceStatus lists how the service is, as a whole first.
func (o Ops) ServiceStatus(ctx context.Context) ([]ServiceState, error) {
	return many[ServiceState](ctx, o.db, opsServiceStatus, pgx.StrictNamedArgs{}, bySystem())
}

// ComponentReport says how something is that the shop depends on. Detail says what is wrong where IsUp is false.
type ComponentReport struct {
	Component string
	IsUp      bool
	Detail    string
	Instance  string
	Epoch     *int64
}

type reportedComponent struct {
	State     string `db:"state"`
	IsChanged bool   `db:"is_changed"`
}

var opsReportComponent = define(`select state, is_changed
from ops.report_component(p_component => @p_component, p_state => @p_state, p_detail => @p_detail,
  p_instance => @p_instance, p_epoch => @p_epoch)`, false)

// ReportComponent notes how something is. True means that this changed what it counts as, which the admins are told.
func (o Ops) ReportComponent(ctx context.Context, report ComponentReport) (isChanged bool, err error) {
	state := "down"
	if report.IsUp {
		state = "up"
	}
	answer, err := one[reportedComponent](ctx, o.db, opsReportComponent, pgx.StrictNamedArgs{
		"p_component": report.Component, "p_state": state, "p_detail": textOrNull(clip(report.Detail)),
		"p_instance": report.Instance, "p_epoch": report.Epoch,
	}, bySystem())
	return answer.IsChanged, err
}

type schemaVersion struct {
	Version int64 `db:"version"`
}

var opsSchemaVersion = define(`select version
from ops.schema_version()`, false)

// SchemaVersion is the number of the newest migration that the database has.
func (o Ops) SchemaVersion(ctx context.Context) (int64, error) {
	answer, err := one[schemaVersion](ctx, o.db, opsSchemaVersion, pgx.StrictNamedArgs{}, bySystem())
	return answer.Version, err
}
