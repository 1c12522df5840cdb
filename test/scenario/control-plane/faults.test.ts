/** Faults at every kind of write. Long, because all cases share one bed and one controller: each bears the kills of the others. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { NodeMaintenance } from '../../../src/api/resources.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { type Fault, type FaultProxy, refusal, type Sent, startFaultProxy } from '../../beds/fault-proxy.ts';
import { deployment, type KubeObject, podDisruptionBudget, service } from '../../beds/objects.ts';
import { brisk, type Case, maintain, setStage } from '../case.ts';
import { type Cluster, fingerprint, maintenanceObject, openCluster, type PodObject, policyObject } from '../cluster.ts';
import { installResources } from '../controller-process.ts';
import { drover, type Running, startDrover } from '../drover.ts';
import { eventually } from '../eventually.ts';
import { openWitness, type Witness } from '../witness.ts';

// All cases share one controller: whoever kills it kills it for all, so each drain bears the crashes of the others, too.
vi.setConfig({ maxConcurrency: 14 });

let bed: ControlPlane;
let cluster: Cluster;
let proxy: FaultProxy;
let controller: ReturnType<typeof superviseController>;
let witness: Witness;

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', podReadyMs: 300, podStopMs: 300 });
  cluster = openCluster(bed);
  await installResources(bed);
  proxy = await startFaultProxy(bed);
  witness = await openWitness(bed);
  controller = superviseController(proxy.kubeconfigFor('peer'));
});

afterAll(async () => {
  witness?.stop();
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await proxy?.stop();
  await bed?.stop();
});

/** `drover controller`, started again at once whenever it was killed. */
function superviseController(kubeconfig: string) {
  const start = () => startDrover(['controller', `--kubeconfig=${kubeconfig}`, '--metrics-address=0', '--no-leader-elect']);
  const past: string[] = [];
  let child: Running = start();
  return {
    async kill() {
      const victim = child;
      victim.signal('SIGKILL');
      const { code } = await victim.finished;
      if (code !== null) throw new Error(`the controller ended by itself, with ${code}:\n${victim.stderr()}`);
      if (child !== victim) return;
      past.push(victim.stderr());
      child = start();
    },
    get kills() {
      return past.length;
    },
    log: () => [...past, child.stderr()].slice(-3).join('\n---\n'),
    async stop() {
      child.signal('SIGTERM');
      return (await child.finished).code;
    },
  };
}

/** Ten pods of three Deployments, each under a budget of another kind; the last may never have one fewer, and leaves its Service first. */
const herd = (ns: string): KubeObject[] => {
  const listed = { spec: { template: { metadata: { labels: { app: 'solo', serve: 'yes' } } } } };
  return [
    podDisruptionBudget(ns, 'web', { maxUnavailable: 1 }),
    deployment(ns, 'web', 4),
    podDisruptionBudget(ns, 'api', { minAvailable: '75%' }),
    deployment(ns, 'api', 4),
    podDisruptionBudget(ns, 'solo', { maxUnavailable: 0 }),
    deployment(ns, 'solo', 2, listed),
    service(ns, 'solo', { spec: { selector: { app: undefined, serve: 'yes' } } }),
  ];
};
const HERD = 10;

async function setHerd(name: string): Promise<Herd> {
  const made = await setStage(cluster, name, { objects: herd, pods: HERD });
  await cluster.readyPods(made.namespace, HERD);
  await eventually(
    `the budgets of ${name} to be met`,
    async () =>
      (await cluster.api<{ items: Budget[] }>({ path: `/apis/policy/v1/namespaces/${name}/poddisruptionbudgets` })).items,
    (budgets) => budgets.every(({ status }) => status.currentHealthy === status.expectedPods && status.expectedPods > 0),
  );
  await witness.begin(made.namespace, HERD);
  return { ...made, before: fingerprint(await cluster.node(made.old)) };
}

interface Budget {
  readonly status: { readonly currentHealthy: number; readonly expectedPods: number };
}

const traces = (pods: readonly PodObject[]) =>
  pods.filter(
    ({ metadata: { labels = {}, annotations = {} } }) =>
      'drover.dev/handed-over' in labels || 'drover.dev/handover' in annotations || !('pod-template-hash' in labels),
  );

/** Waits for a phase by reading this one object: lists, from so many cases at once, would be the bed's heaviest load. */
async function phase(maintenance: string, wanted: string): Promise<NodeMaintenance> {
  const look = () => cluster.api<NodeMaintenance>({ path: `${maintenances}/${maintenance}` });
  // An eviction that died inside the API server keeps its budget charged for two minutes (DeletionTimeout of the disruption controller).
  const patience = { timeoutMs: 280_000, everyMs: 400, also: () => controller.log() };
  return eventually(`${maintenance} to be ${wanted}`, look, ({ status }) => status?.phase === wanted, patience);
}

interface Herd extends Case {
  /** The node as it was. */
  readonly before: string;
}

/**
 * The end that every drain of the herd has, whatever happened on the way.
 * @param surplus pods that others may have made and removed beside those that replace the herd
 */
async function expectDrained({ name, namespace, old, spare, before }: Herd, maintenance = name, surplus = 0): Promise<void> {
  const { status } = await phase(maintenance, 'Drained');
  const pods = await cluster.readyPods(namespace, HERD);
  expect(pods.map(({ spec }) => spec.nodeName)).toEqual(pods.map(() => spare));
  expect(traces(pods)).toEqual([]);
  const { pods: seen, shortages, fewestReady } = witness.of(namespace);
  expect(shortages).toEqual([]);
  expect(seen.size, 'each pod is replaced once').toBeGreaterThanOrEqual(2 * HERD);
  expect(seen.size, 'each pod is replaced once').toBeLessThanOrEqual(2 * HERD + surplus);
  const evicted = await bed.auditLog({ user: 'peer', namespace, subresource: 'eviction', code: 201 });
  expect(new Set(evicted.map((line) => line.name)).size, 'only the herd is evicted').toBeLessThanOrEqual(HERD);
  expect(fewestReady('solo')).toBe(2);

  const node = await cluster.node(old);
  const journal = JSON.parse(node.metadata.annotations?.['drover.dev/maintenance'] ?? '{}') as object;
  expect(journal).toMatchObject({ by: maintenance, stage: 'Cordoned', undo: { unschedulable: false } });
  expect(node.spec.unschedulable).toBe(true);
  expect(status).toMatchObject({ phase: 'Drained', progress: { remaining: 0, percent: 100 } });
  expect(status?.waitingFor).toBeUndefined();
  expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Drained', status: 'True' }));
  await eventually(
    `${old} to have the condition Drained`,
    () => cluster.node(old),
    ({ status: { conditions = [] } = {} }) => conditions.some(({ type, status }) => type === 'Drained' && status === 'True'),
  );

  await cluster.patch(maintenanceObject(maintenance, {}), { spec: { cancelled: true } });
  await phase(maintenance, 'HandedBack');
  await eventually(
    `${name} to be as before`,
    async () => fingerprint(await cluster.node(old)),
    (now) => now === before,
  );
  expect(witness.of(namespace).pods.size).toBe(seen.size);
}

type When = 'before' | 'after';
type Matches = (sent: Sent, made: Case) => boolean;

const maintenances = '/apis/drover.dev/v1alpha1/nodemaintenances';
const onPod = (sent: Sent, { namespace }: Case) =>
  sent.method === 'PATCH' && sent.path.startsWith(`/api/v1/namespaces/${namespace}/pods/`);
const onNode = (sent: Sent, { old }: Case) => sent.method === 'PATCH' && sent.path === `/api/v1/nodes/${old}`;
const onObject = (sent: Sent, { name }: Case) => sent.method === 'PATCH' && sent.path === `${maintenances}/${name}`;
const onStatus = (sent: Sent, { name }: Case) => sent.method === 'PATCH' && sent.path === `${maintenances}/${name}/status`;
const onConditions = (sent: Sent, { old }: Case) => sent.method === 'PATCH' && sent.path === `/api/v1/nodes/${old}/status`;
const isEviction = ({ path }: Sent, { namespace }: Case) =>
  path.startsWith(`/api/v1/namespaces/${namespace}/pods/`) && path.endsWith('/eviction');

/** Every kind of write on the way to Drained. */
const forward: Readonly<Record<string, Matches>> = {
  'creates the maintenance': (sent, { old }) =>
    sent.method === 'POST' && sent.path === maintenances && sent.body.includes(`"${old}"`),
  'sets the finalizer': (sent, made) => onObject(sent, made) && sent.body.includes('drover.dev/undo'),
  'cordons the node': onNode,
  'writes the status': onStatus,
  'writes the last status': (sent, made) => onStatus(sent, made) && sent.body.includes('"Drained"'),
  'writes the node conditions': onConditions,
  // Of any node: events are told at best, and this node's may die unsent with the controller of another case.
  'writes an event': ({ method, path }) => method === 'POST' && path.endsWith('/events'),
  'detaches a pod': (sent, made) => onPod(sent, made) && sent.body.includes('"drover.dev/handed-over":"true"'),
  'unlists a pod': (sent, made) => onPod(sent, made) && sent.body.includes('unlistedAt'),
  'evicts a pod': isEviction,
};

/** Every kind of write on the way back. */
const back: Readonly<Record<string, Matches>> = {
  'gives a pod back': (sent, made) => onPod(sent, made) && sent.body.includes('"drover.dev/handover":null'),
  'undoes the node': (sent, made) => onNode(sent, made) && sent.body.includes('"drover.dev/maintenance":null'),
  'writes the end into the status': (sent, made) => onStatus(sent, made) && sent.body.includes('"Cancelled"'),
  'takes the node conditions off': (sent, made) => onConditions(sent, made) && sent.body.includes('delete'),
  'takes the finalizer off': (sent, made) => onObject(sent, made) && sent.body.includes('"finalizers":[]'),
};

/** Kills the controller at the first request that matches, right before the server gets it, or after it was done and before the answer. */
function killAt(when: When, matches: (sent: Sent) => boolean): { readonly fired: boolean } {
  let fired = false;
  const remove = proxy.on(
    (sent) => !fired && matches(sent),
    async (_, forward) => {
      fired = true;
      remove();
      if (when === 'after') expect((await forward()).status).toBeLessThan(300);
      await controller.kill();
      return null;
    },
  );
  return {
    get fired() {
      return fired;
    },
  };
}

const isFired = (what: string, point: { readonly fired: boolean }) =>
  eventually(
    what,
    async () => point.fired,
    (fired) => fired,
    { timeoutMs: 280_000 },
  );

const points = (kinds: Readonly<Record<string, Matches>>, prefix: string) =>
  Object.keys(kinds).flatMap((kind, index) =>
    (['before', 'after'] as const).map((when) => ({ kind, when, name: `${prefix}-${index}-${when}` })),
  );

describe.concurrent('a drain is carried on by the next controller when this one is killed', () => {
  it.each(points(forward, 'forward'))('right $when it $kind', async ({ kind, when, name }) => {
    const made = await setHerd(name);
    const point = killAt(when, (sent) => forward[kind]?.(sent, made) ?? false);
    if (kind === 'creates the maintenance') {
      const reasons = [{ type: 'Label', label: { key: `retire-${name}` } }];
      await cluster.create(
        policyObject(name, { nodeSelector: { matchLabels: { case: name } }, reasons, drain: brisk, handBack: 'Never' }),
      );
      await cluster.patchNode(made.old, { metadata: { labels: { [`retire-${name}`]: 'yes' } } });
      const before = fingerprint(await cluster.node(made.old));
      await isFired(`the controller to be killed ${when} it ${kind}`, point);
      const [only, ...more] = await eventually(
        'the maintenance',
        () => cluster.maintenancesOf(made.old),
        (found) => found.length > 0,
      );
      await expectDrained({ ...made, before }, only?.metadata.name);
      expect(more).toEqual([]);
      return;
    }
    const object = await maintain(made, cluster);
    await expectDrained(made);
    // The last case that runs may have no event left to tell; handing its node back makes one more.
    if (kind === 'writes an event' && !point.fired) await cluster.patch(object, { spec: { cancelled: true } });
    await isFired(`the controller to be killed ${when} it ${kind}`, point);
  });

  it.each(points(back, 'back'))('and is undone, right $when it $kind', async ({ kind, when, name }) => {
    const made = await setStage(cluster, name, { objects: (ns) => [deployment(ns, 'web', 3)], pods: 3 });
    await cluster.readyPods(name, 3);
    const look = async () => JSON.stringify((await cluster.podsIn(name)).map(identityOf).sort());
    const [node, pods] = [fingerprint(await cluster.node(made.old)), await look()];
    await cluster.patchNode(made.spare, { spec: { unschedulable: true } }); // the handovers stand still midway
    const object = await maintain(made, cluster, { handover: 'Always' });
    await eventually(
      'all to be handed over',
      () => cluster.podsIn(name),
      (seen) => traces(seen).length === 3 && seen.length === 6,
    );

    const point = killAt(when, (sent) => back[kind]?.(sent, made) ?? false);
    await cluster.patch(object, { spec: { cancelled: true } });
    if (kind !== 'takes the finalizer off') await isFired(`the controller to be killed ${when} it ${kind}`, point);
    await phase(name, 'Cancelled');
    await eventually('the pods to be as before', look, (now) => now === pods);
    await eventually(
      'the node to be as before',
      async () => fingerprint(await cluster.node(made.old)),
      (now) => now === node,
    );
    await eventually(
      'the node conditions to be gone',
      () => cluster.node(made.old),
      ({ status }) => !JSON.stringify(status?.conditions).includes('Drain'),
      { also: controller.log },
    );
    await cluster.remove(object);
    await eventually(
      'the maintenance to be gone',
      () => cluster.maintenancesOf(made.old),
      (left) => left.length === 0,
      { everyMs: 1_000, also: controller.log },
    );
    expect(point.fired).toBe(true);
  });
});

/** Whose a pod is and what it wears. */
const identityOf = ({ metadata }: PodObject) =>
  JSON.stringify([
    metadata.uid,
    metadata.labels,
    metadata.annotations,
    (metadata as { ownerReferences?: object }).ownerReferences,
  ]);

/** `fault` for the first write to each path of the case. */
function onFirstWrites(made: Case, methods: readonly string[], fault: Fault): { readonly count: number } {
  const met = new Set<string>();
  const ofCase = ({ path }: Sent) =>
    path.includes(`/namespaces/${made.namespace}/`) || path.includes(made.old) || path.includes(`${maintenances}/${made.name}`);
  proxy.on((sent) => methods.includes(sent.method) && ofCase(sent) && !met.has(sent.path) && met.add(sent.path).size > 0, fault);
  return {
    get count() {
      return met.size;
    },
  };
}

describe('the API server', () => {
  it.concurrent('answers 409 to the first patch of everything', async () => {
    const made = await setHerd('conflicts');
    const met = onFirstWrites(made, ['PATCH'], async () => refusal(409, 'Conflict'));
    await maintain(made, cluster);
    await expectDrained(made);
    expect(met.count, 'object, status, node, its status, and the pods that were handed over').toBeGreaterThanOrEqual(6);
  });

  it.concurrent('throttles each eviction twice, as priority and fairness does', async () => {
    const made = await setHerd('throttled');
    const [refused, passed] = [new Map<string, number>(), new Set<string>()];
    proxy.on(
      (sent) => isEviction(sent, made),
      async ({ path }, forward) => {
        const times = (refused.get(path) ?? 0) + 1;
        if (times > 2) return passed.add(path) && forward();
        refused.set(path, times);
        return refusal(429, 'TooManyRequests', { 'retry-after': '1' });
      },
    );
    await maintain(made, cluster);
    await expectDrained(made);
    expect([refused.size, passed.size]).toEqual([HERD, HERD]);
  });

  it.concurrent('fails the first write of everything with 500', async () => {
    const made = await setHerd('errors');
    const met = onFirstWrites(made, ['PATCH', 'POST'], async () => refusal(500, 'InternalError'));
    await maintain(made, cluster);
    await expectDrained(made);
    expect(met.count).toBeGreaterThanOrEqual(4 + HERD);
  });

  it.concurrent('carries every eviction out and answers 504', async () => {
    const made = await setHerd('timeouts');
    const evicted: string[] = [];
    proxy.on(
      (sent) => isEviction(sent, made),
      async ({ path }, forward) => {
        if ((await forward()).status === 201) evicted.push(path);
        return refusal(504, 'Timeout');
      },
    );
    await maintain(made, cluster);
    await expectDrained(made);
    expect(new Set(evicted).size).toBe(HERD);
  });

  it.concurrent('is done before the answer to any write gets lost', async () => {
    const made = await setHerd('lost');
    const met = onFirstWrites(made, ['PATCH', 'POST'], async (_, forward) => {
      await forward();
      return null;
    });
    await maintain(made, cluster);
    await expectDrained(made);
    expect(met.count).toBeGreaterThanOrEqual(4 + HERD);
  });

  it('loses all watches every 300 ms', async () => {
    const made = await setHerd('cut');
    let cuts = 0;
    let cut = 0;
    // Not longer: a client that loses every watch at once rightly waits longer and longer before the next.
    const cutter = setInterval(() => {
      cut += proxy.cutWatches();
      if (++cuts === 20) clearInterval(cutter);
    }, 300);
    try {
      await maintain(made, cluster);
      await expectDrained(made);
    } finally {
      clearInterval(cutter);
    }
    expect(cut).toBeGreaterThan(10);
  });
});

describe('drover drain, killed in the middle of a handover', () => {
  const killedMidway = async (name: string) => {
    const made = await setHerd(name);
    const identities = async () => JSON.stringify((await cluster.podsIn(name)).map(identityOf).sort());
    const pods = await identities();
    await cluster.patchNode(made.spare, { spec: { unschedulable: true } });
    const run = startDrover([`--kubeconfig=${bed.kubeconfig}`, 'drain', made.old, '--handover=always']);
    await eventually(
      'all to be handed over',
      () => cluster.podsOn(made.old),
      (seen) => traces(seen).length === HERD,
      { also: run.stderr },
    );
    run.signal('SIGKILL');
    await run.finished;
    return { ...made, pods, identities };
  };

  it.concurrent('finishes when it is run again', async () => {
    const made = await killedMidway('again');
    await cluster.patchNode(made.spare, { spec: { unschedulable: null } });
    expect(await drover(bed.kubeconfig, 'drain', made.old, '--handover=always')).toMatchObject({ code: 0, stderr: '' });
    const pods = await cluster.readyPods(made.namespace, HERD);
    expect(traces(pods)).toEqual([]);
    const { pods: seen, shortages, fewestReady } = witness.of(made.namespace);
    expect([seen.size, ...['web', 'api', 'solo'].map(fewestReady)]).toEqual([2 * HERD, 4, 4, 2]);
    expect(shortages).toEqual([]);
    expect(await drover(bed.kubeconfig, 'uncordon', made.old)).toMatchObject({ code: 0, stderr: '' });
    expect(fingerprint(await cluster.node(made.old))).toBe(made.before);
  });

  it.concurrent('leaves nothing behind after drover uncordon', async () => {
    const made = await killedMidway('given-up');
    expect(await drover(bed.kubeconfig, 'uncordon', made.old)).toMatchObject({ code: 0, stderr: '' });
    expect(fingerprint(await cluster.node(made.old))).toBe(made.before);
    await eventually('the pods to be as before', made.identities, (now) => now === made.pods);
    expect(witness.of(made.namespace).shortages).toEqual([]);
  });
});

describe('the API server is restarted', () => {
  it('and the drain goes on', async () => {
    const made = await setHerd('restarted');
    await maintain(made, cluster);
    await eventually(
      'the first pod to be handed over',
      () => cluster.podsOn(made.old),
      (pods) => traces(pods).length > 0,
    );
    bed.stopApiServer();
    const isDown = () =>
      cluster.api({ path: '/readyz' }).then(
        () => false,
        () => true,
      );
    await eventually('the API server to be gone', isDown, (down) => down);
    await bed.startApiServer();
    // A ReplicaSet whose answer to a creation the restart has swallowed creates once more, and removes the surplus.
    await expectDrained(made, made.name, 2);
  });
});

describe('in all of that', () => {
  it('no pod was deleted around the eviction API', async () => {
    expect(await bed.auditLog({ user: 'peer', resource: 'pods', verb: 'delete' })).toEqual([]);
    expect(controller.kills).toBeGreaterThan(20);
  });
});
