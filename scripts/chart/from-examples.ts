/** The chart's files that are said elsewhere already: rights and the admission policy in examples, alerts on the page of the metrics. */
import { parse, parseAllDocuments, stringify } from 'yaml';

interface Rule {
  readonly resources: readonly string[];
}

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly Rule[];
  readonly spec?: unknown;
}

const written = (source: string) => `# Written by \`npm run generate\` from ${source}.\n`;
const yaml = (value: unknown) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

function find(text: string, kind: string, name: string): Document {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Document);
  const found = documents.find((each) => each.kind === kind && each.metadata.name === name);
  if (!found) throw new Error(`the example has no ${kind} ${name}`);
  return found;
}

function rulesOf(text: string, kind: string, name: string): readonly Rule[] {
  const { rules = [] } = find(text, kind, name);
  if (rules.length === 0) throw new Error(`the example's ${kind} ${name} has no rules`);
  return rules;
}

export interface ControllerExamples {
  /** examples/rbac.yaml */
  readonly rbac: string;
  /** examples/rbac-gates.yaml */
  readonly gates: string;
  /** examples/rbac-notify.yaml */
  readonly notify: string;
}

/** `cluster` and `own` always; the others where a value asks for them. */
export function controllerRights({ rbac, gates, notify }: ControllerExamples): string {
  const acts = rulesOf(rbac, 'Role', 'drover-acts');
  const about = (resource: string) => acts.filter(({ resources }) => resources.includes(resource));
  return `${written('examples/rbac.yaml, rbac-gates.yaml and rbac-notify.yaml')}${yaml({
    cluster: rulesOf(rbac, 'ClusterRole', 'drover-controller'),
    own: rulesOf(rbac, 'Role', 'drover-controller'),
    reboots: about('pods'),
    hooks: about('jobs'),
    nodeDeletion: rulesOf(rbac, 'ClusterRole', 'drover-node-deletion'),
    settledGates: rulesOf(gates, 'ClusterRole', 'drover-gates'),
    namespaceChannels: rulesOf(notify, 'ClusterRole', 'drover-notify-namespaces'),
  })}`;
}

/** @param agent examples/agent.yaml */
export function agentRights(agent: string): string {
  const rules = (name: string) => rulesOf(agent, 'ClusterRole', name);
  return `${written('examples/agent.yaml')}${yaml({ always: rules('drover-agent'), selfDrain: rules('drover-agent-self-drain') })}`;
}

/** The account that the example's policy is about; the chart puts its own in its place. */
export const EXAMPLE_AGENT = 'system:serviceaccount:drover:drover-agent';

/** @param admission examples/agent-admission.yaml @returns the spec of its policy */
export function agentAdmission(admission: string): string {
  const text = yaml(find(admission, 'ValidatingAdmissionPolicy', 'drover-agent').spec);
  if (!text.includes(`"${EXAMPLE_AGENT}"`)) throw new Error(`agent-admission.yaml does not name ${EXAMPLE_AGENT} any more`);
  return `${written('examples/agent-admission.yaml')}${text}`;
}

/** @param page docs/reference/metrics.md */
export function alerts(page: string): string {
  const [, block] = /## Alerts\n[^]*?```yaml\n([^]*?)```/.exec(page) ?? [];
  if (block === undefined) throw new Error('docs/reference/metrics.md has no alerts any more');
  return `${written('docs/reference/metrics.md')}${yaml(parse(block))}`;
}
