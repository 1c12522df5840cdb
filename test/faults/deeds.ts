/** What people and machines do while Drover works. */
import { GROUP_VERSION } from '../../src/api/names.ts';
import * as kinds from '../../src/sim/apiserver/kinds.ts';
import type { DrawnDeed, DrawnMaintenance, DrawnPolicy, DrawnReboot } from './case.ts';
import { callOut, cordon, createNode, mark, POOL, CALL, ZONE } from './nodes.ts';
import type { Stage } from './stage.ts';

const DOWN_MS = 90_000;
const path = (...segments: string[]) => `/apis/${GROUP_VERSION}/${segments.join('/')}`;

/** Of a list, modulo its length. */
function pick<T>(list: readonly T[], which: number): T | undefined {
  return list.length === 0 ? undefined : list[which % list.length];
}

/** What a person asks for may be refused, by a rule or because it is gone meanwhile; anything else is a mistake of the test. */
function expectAnswer({ ask }: Stage, method: string, to: string, body?: unknown): void {
  const answer = ask(method, to, body);
  if (answer.code >= 300 && ![404, 409, 422].includes(answer.code)) throw new Error(`${method} ${to} is answered ${answer.code}`);
}

/** As the spec has it. */
function actionOf(reboot: DrawnReboot | null): object {
  if (!reboot) return {};
  const { tries, timeout, delayBefore, healthyFor } = reboot;
  return { action: 'Reboot', reboot: { attempts: tries, timeout, delayBefore }, verify: { readyTimeout: '4m', healthyFor } };
}

export function createPolicy(stage: Stage, name: string, drawn: DrawnPolicy): void {
  const { selects, reason, drain, handBack, priority } = drawn;
  const nodeSelector =
    selects === 'all'
      ? { matchExpressions: [{ key: POOL, operator: 'Exists', values: [] }] }
      : { matchLabels: { [POOL]: selects } };
  const reasons = {
    taint: { type: 'Taint', taint: { key: CALL.taint } },
    label: { type: 'Label', label: { key: CALL.label } },
    condition: { type: 'Condition', condition: { type: CALL.condition, for: '5s' } },
  };
  const answer = stage.ask('POST', path('maintenancepolicies'), {
    apiVersion: GROUP_VERSION,
    kind: 'MaintenancePolicy',
    metadata: { name },
    spec: {
      nodeSelector,
      reasons: [reasons[reason]],
      handBack,
      priority,
      drain,
      ...actionOf(drawn.reboot),
      disruption: {
        maxNodes: drawn.maxNodes,
        minInterval: drawn.minInterval,
        massTrigger: '100%',
        ...(drawn.perZone !== null && { perGroup: [{ label: ZONE, maxNodes: drawn.perZone }] }),
      },
    },
  });
  if (answer.code !== 201)
    throw new Error(`policy ${name} is refused: ${'body' in answer ? JSON.stringify(answer.body) : answer.code}`);
}

export function createMaintenance(stage: Stage, name: string, drawn: DrawnMaintenance): void {
  const node = pick(stage.api.list(kinds.nodes), drawn.node);
  if (!node) return;
  stage.say(`person  asks for ${name} of ${node.metadata.name}`);
  const answer = stage.ask('POST', path('nodemaintenances'), {
    apiVersion: GROUP_VERSION,
    kind: 'NodeMaintenance',
    metadata: { name },
    spec: {
      nodeName: node.metadata.name,
      priority: drawn.priority,
      handBack: drawn.handBack,
      drain: drawn.drain,
      ...actionOf(drawn.reboot),
      ...(drawn.goneInMs !== null && { deadline: new Date(stage.clock.now() + drawn.goneInMs).toISOString() }),
    },
  });
  if (answer.code !== 201) throw new Error(`${name} is refused: ${'body' in answer ? JSON.stringify(answer.body) : answer.code}`);
}

function scale({ api }: Stage, which: number, change: (replicas: number) => number): void {
  const all = [...api.list(kinds.deployments), ...api.list(kinds.statefulSets)];
  const found = pick(all, which);
  if (!found) return;
  const { name, namespace = '' } = found.metadata;
  const next = { replicas: Math.max(0, change(found.spec.replicas ?? 1)) };
  if (found.kind === 'Deployment')
    api.modify(kinds.deployments, namespace, name, (each) => ({ ...each, spec: { ...each.spec, ...next } }));
  else api.modify(kinds.statefulSets, namespace, name, (each) => ({ ...each, spec: { ...each.spec, ...next } }));
}

/** Calls a node out, or off, for every policy that there is. */
export function call(stage: Stage, node: string, out: boolean): void {
  for (const reason of new Set(stage.drawn.policies.map((each) => each.reason))) callOut(stage, node, reason, out);
}

export function doDeed(stage: Stage, { do: what, which }: DrawnDeed): void {
  const { api, clock, cluster } = stage;
  const node = pick(api.list(kinds.nodes), which)?.metadata.name ?? '';
  const maintenance = pick(api.list(stage.maintenances), which)?.metadata.name;
  const policy = pick(api.list(stage.policies), which)?.metadata.name;
  stage.say(`person  ${what} ${which} (node ${node}, maintenance ${maintenance}, policy ${policy})`);
  const specOfMaintenance = (spec: object) =>
    maintenance && expectAnswer(stage, 'PATCH', path('nodemaintenances', maintenance), { spec });
  const specOfPolicy = (spec: object) => policy && expectAnswer(stage, 'PATCH', path('maintenancepolicies', policy), { spec });
  switch (what) {
    case 'call-out':
    case 'call-off':
      call(stage, node, what === 'call-out');
      break;
    case 'cordon':
    case 'uncordon':
      cordon(stage, node, what === 'cordon');
      break;
    case 'mark':
    case 'unmark':
      mark(stage, node, what === 'mark');
      break;
    case 'scale-up':
      scale(stage, which, (replicas) => replicas + 2);
      break;
    case 'scale-down':
      scale(stage, which, (replicas) => replicas - 1);
      break;
    case 'scale-to-zero':
      scale(stage, which, () => 0);
      break;
    case 'roll-out': {
      const found = pick(api.list(kinds.deployments), which);
      if (found)
        api.modify(kinds.deployments, 'default', found.metadata.name, (each) => {
          const { metadata, spec } = each.spec.template;
          const annotations = { ...metadata?.annotations, 'example.com/rolled': String(clock.now()) };
          return { ...each, spec: { ...each.spec, template: { spec, metadata: { ...metadata, annotations } } } };
        });
      break;
    }
    case 'delete-workload': {
      const found = pick([...api.list(kinds.deployments), ...api.list(kinds.statefulSets)], which);
      if (found?.kind === 'Deployment') api.remove(kinds.deployments, 'default', found.metadata.name);
      else if (found) api.remove(kinds.statefulSets, 'default', found.metadata.name);
      break;
    }
    case 'delete-maintenance':
      if (maintenance) expectAnswer(stage, 'DELETE', path('nodemaintenances', maintenance));
      break;
    case 'cancel':
      specOfMaintenance({ cancelled: true });
      break;
    case 'pause':
      specOfMaintenance({ paused: true, pausedBecause: 'a person says so' });
      break;
    case 'resume':
      specOfMaintenance({ paused: false, pausedBecause: null });
      break;
    case 'pause-policy':
    case 'resume-policy':
      specOfPolicy({ paused: what === 'pause-policy' });
      break;
    case 'add-node': {
      const name = `late-${clock.now() % 1_000_000_000}-${which}`;
      if (!api.get(kinds.nodes, '', name))
        createNode(stage, name, { zone: which % 3, pool: 'new', cordoned: false, marked: false, slowness: 1, calledOut: false });
      break;
    }
    case 'delete-node':
      if (node && api.count(kinds.nodes) > 2) api.remove(kinds.nodes, '', node);
      break;
    case 'node-dies':
      cluster.kubelets?.stopNode(node);
      clock.after(DOWN_MS, () => cluster.kubelets?.startNode(node));
      break;
    case 'node-hangs':
      cluster.kubelets?.silence(node);
      clock.after(DOWN_MS, () => cluster.kubelets?.startNode(node));
      break;
    case 'node-reboots':
      cluster.kubelets?.reboot(node);
      break;
    case 'delete-pod': {
      const found = pick(api.list(kinds.pods), which);
      if (found) api.remove(kinds.pods, 'default', found.metadata.name);
      break;
    }
  }
}
