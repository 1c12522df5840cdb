/** The files of the chart that are computed: from the schemas, the examples and values.yaml. */
import { stringify } from 'yaml';
import { crds } from '../../src/api/crd.ts';
import { agentAdmission, agentRights, alerts, controllerRights } from './from-examples.ts';
import { chartReadme } from './readme.ts';
import { valuesSchema } from './values-schema.ts';

/** What `drover crds` prints. */
export const crdsFile = () =>
  crds()
    .map((crd) => `---\n${stringify(crd, { lineWidth: 0, aliasDuplicateObjects: false })}`)
    .join('');

/** @param source the text of a file of this repository */
export function chartFiles(source: (path: string) => string): Readonly<Record<string, () => string>> {
  return {
    'charts/drover/crds/crds.yaml': crdsFile,
    'charts/drover/files/controller-rights.yaml': () =>
      controllerRights({
        rbac: source('examples/rbac.yaml'),
        gates: source('examples/rbac-gates.yaml'),
        notify: source('examples/rbac-notify.yaml'),
      }),
    'charts/drover/files/agent-rights.yaml': () => agentRights(source('examples/agent.yaml')),
    'charts/drover/files/agent-admission.yaml': () => agentAdmission(source('examples/agent-admission.yaml')),
    'charts/drover/files/alerts.yaml': () => alerts(source('docs/reference/metrics.md')),
    'charts/drover/values.schema.json': valuesSchema,
    'charts/drover/README.md': () => chartReadme(source('charts/drover/values.yaml')),
  };
}
