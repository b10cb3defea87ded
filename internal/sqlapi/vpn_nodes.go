package sqlapi

import (
	"context"

	"github.com/jackc/pgx/v5"
)

type drainingNode struct {
	Name string `db:"name"`
}

var vpnDrainingNodes = define(`select name
from vpn.draining_nodes()`, false)

// DrainingNodes reads the names of the nodes that get no new keys.
func (v VPN) DrainingNodes(ctx context.Context) ([]string, error) {
	rows, err := many[drainingNode](ctx, v.db, vpnDrainingNodes, pgx.StrictNamedArgs{}, bySystem())
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
	}
	return names, err
}

// NodeReport is how a VPN node is. Users is nil where it did not say.
type NodeReport struct {
	Name  string
	IsUp  bool
	Users *int
	Error string
}

type reportedNode struct {
	Name       string `db:"name"`
	IsDraining bool   `db:"is_draining"`
}

var vpnReportNode = define(`select name, is_draining
from vpn.report_node(p_name => @p_name, p_is_up => @p_is_up, p_users => @p_users, p_error => @p_error)`, false)

// ReportNode notes how a VPN node is, for vpn.list_nodes.
func (v VPN) ReportNode(ctx context.Context, report NodeReport) error {
	_, err := one[reportedNode](ctx, v.db, vpnReportNode, pgx.StrictNamedArgs{
		"p_name": report.Name, "p_is_up": report.IsUp, "p_users": report.Users, "p_error": textOrNull(clip(report.Error)),
	}, bySystem())
	return err
}
