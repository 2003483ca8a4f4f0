import { auditRow } from "./audit-row.ts";
import { capacityRow } from "./capacity-row.ts";
import { enforcementRow } from "./enforcement-row.ts";
import { operatorRow } from "./operator-row.ts";
import type { Panel } from "./panel.ts";
import { trafficRow } from "./traffic-row.ts";

const DATA_SOURCE = { type: "prometheus", uid: "$datasource" };
const COLUMNS = 24;
const HEIGHT = 7;
const ROWS = [enforcementRow, trafficRow, capacityRow, auditRow, operatorRow];

/** The dashboard as Grafana (9 and later) imports it. */
export function dashboard(): object {
  return {
    title: "Port hardening",
    uid: "port-hardening",
    tags: ["kubernetes", "security"],
    schemaVersion: 37,
    editable: true,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
        variable("policy", "Policy", "label_values(port_hardening_policy_nodes, policy)"),
        variable("node", "Node", 'label_values(port_hardening_build_info{component="agent"}, node)'),
      ],
    },
    panels: placed(),
  };
}

/** `.*` for all, so that nothing is lost where a label is absent. */
function variable(name: string, label: string, query: string): object {
  return {
    name,
    label,
    type: "query",
    datasource: DATA_SOURCE,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  };
}

function placed(): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of ROWS) {
    panels.push({ id: panels.length + 1, type: "row", title: row.title, gridPos: { x: 0, y, w: COLUMNS, h: 1 } });
    y += 1;
    let x = 0;
    for (const panel of row.panels) {
      const { width: w = 8 } = panel;
      if (x + w > COLUMNS) {
        x = 0;
        y += HEIGHT;
      }
      panels.push(panelOf(panel, panels.length + 1, { x, y, w, h: HEIGHT }));
      x += w;
    }
    y += HEIGHT;
  }
  return panels;
}

function panelOf(panel: Panel, id: number, gridPos: object): object {
  const { title, description, kind, unit, queries, stacked, thresholds } = panel;
  return {
    id,
    type: kind,
    title,
    ...(description === undefined ? {} : { description }),
    datasource: DATA_SOURCE,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(stacked ? { custom: { stacking: { mode: "normal" }, fillOpacity: 20 } } : {}),
        ...(thresholds === undefined ? {} : { thresholds: { mode: "absolute", steps: steps(thresholds) } }),
      },
      overrides: [],
    },
    ...(kind === "table" ? { transformations: [{ id: "organize", options: { excludeByName: { Time: true } } }] } : {}),
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATA_SOURCE,
      expr,
      ...(kind === "table" ? { format: "table", instant: true } : { legendFormat }),
    })),
  };
}

function steps([warning, critical]: readonly [number, number]): object[] {
  return [
    { color: "green", value: null },
    { color: "orange", value: warning },
    { color: "red", value: critical },
  ];
}
