/** A store over the fake client, for tests: what it sends is recorded, and no watch is connected to it. */
import { aPod, NOW } from '../../../test/builders.ts';
import { createFakeClient, settled } from '../../../test/fake-client.ts';
import type { NodeMaintenance } from '../../api/resources.ts';
import type { Decision } from '../../engine/decide.ts';
import type { Phase } from '../../engine/maintenance.ts';
import type { KubeRequest } from '../../kube/client.ts';
import { createVirtualClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { createMaintenanceStore } from '../maintenance-store.ts';
import { createProgress } from '../progress.ts';

export const COLLECTION = '/apis/drover.dev/v1alpha1/nodemaintenances';

/** Objects are in the cluster and have been seen. */
export function startStore(...objects: readonly NodeMaintenance[]) {
  const client = createFakeClient(objects);
  const clock = createVirtualClock(NOW);
  const progress = createProgress();
  const may = { act: true };
  const changes = { count: 0, nodes: [] as string[] };
  const store = createMaintenanceStore({
    client,
    clock,
    log: silentLog,
    progress,
    namespaces: { hooks: 'drover', reboots: 'drover' },
    mayAct: () => may.act,
    onChange: () => void (changes.count += 1),
    onNode: (nodeName) => void changes.nodes.push(nodeName),
  });
  for (const object of objects) store.see(object);
  /** What the watch would bring. */
  const watch = (name = 'm-1') => store.see(client.get(`${COLLECTION}/${name}`) as unknown as NodeMaintenance);
  const only = () => {
    const [first] = store.list();
    if (!first) throw new Error('the store lists nothing');
    return first;
  };
  const record = async (phase: Phase, rest: Partial<Decision> = {}) => {
    store.record(
      { maintenance: only(), phase, cause: true, ...(phase === 'Draining' ? leaving() : unread), waitingFor: null, ...rest },
      clock.now(),
    );
    await settled();
  };
  const statuses = () =>
    client
      .sent('PATCH')
      .filter(({ path }) => path.endsWith('/status'))
      .map(statusIn);
  const later = async (ms: number) => {
    await clock.advance(ms);
    await settled();
  };
  return { client, clock, progress, may, changes, store, watch, only, record, statuses, later };
}

const unread = { pods: null, remaining: null };

const statusIn = ({ body }: KubeRequest) => (body as { status: Record<string, unknown> }).status;
export const leaving = (...names: string[]): Pick<Decision, 'pods' | 'remaining'> => ({
  pods: names.map((name) => ({ pod: aPod({ name }), tier: 'workload', state: 'Evicting' })),
  remaining: names.length,
});
