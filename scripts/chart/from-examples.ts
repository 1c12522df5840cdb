/** The chart's files that are said elsewhere already: rights and the admission policy in examples, alerts on the page of the metrics. */
import { parse, parseAllDocuments, stringify } from 'yaml';

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: unknown;
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

/** @param rbac examples/rbac.yaml */
export function controllerRights(rbac: string): string {
  const rulesOf = (kind: string) => find(rbac, kind, 'drover-controller').rules;
  return `${written('examples/rbac.yaml')}${yaml({ cluster: rulesOf('ClusterRole'), own: rulesOf('Role') })}`;
}

/** @param agent examples/agent.yaml */
export function agentRights(agent: string): string {
  const rulesOf = (name: string) => find(agent, 'ClusterRole', name).rules;
  return `${written('examples/agent.yaml')}${yaml({ always: rulesOf('drover-agent'), selfDrain: rulesOf('drover-agent-self-drain') })}`;
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
