/** Every case, by subject; a subject is a file of recordings. */
import type { Case } from './case.ts';
import { budgets } from './cases/budgets.ts';
import { customResources } from './cases/custom-resources.ts';
import { daemonSets } from './cases/daemon-sets.ts';
import { deletion } from './cases/deletion.ts';
import { deployments } from './cases/deployments.ts';
import { eviction } from './cases/eviction.ts';
import { fields } from './cases/fields.ts';
import { jobs } from './cases/jobs.ts';
import { lists } from './cases/lists.ts';
import { nodes } from './cases/nodes.ts';
import { patches } from './cases/patches.ts';
import { replicaSets } from './cases/replica-sets.ts';
import { scheduling } from './cases/scheduling.ts';
import { services } from './cases/services.ts';
import { statefulSets } from './cases/stateful-sets.ts';
import { talking } from './cases/talking.ts';
import { watching } from './cases/watching.ts';
import { writes } from './cases/writes.ts';

export const subjects: Readonly<Record<string, readonly Case[]>> = {
  eviction,
  budgets,
  deletion,
  writes,
  fields,
  patches,
  lists,
  watching,
  'custom-resources': customResources,
  scheduling,
  'replica-sets': replicaSets,
  deployments,
  'stateful-sets': statefulSets,
  'daemon-sets': daemonSets,
  jobs,
  services,
  nodes,
  talking,
};
