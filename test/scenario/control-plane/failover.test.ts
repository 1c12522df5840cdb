import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NodeMaintenance } from '../../../src/api/resources.ts';
import type { AuditLine } from '../../beds/audit-log.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { type FaultProxy, startFaultProxy } from '../../beds/fault-proxy.ts';
import { deployment, namespace, node, podDisruptionBudget } from '../../beds/objects.ts';
import { createNodes } from '../../beds/seed.ts';
import { type Case, maintain, setStage } from '../case.ts';
import { type Cluster, maintenanceObject, openCluster } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { eventually } from '../eventually.ts';

const leaseNamespace = 'drover-system';
const users = ['peer', 'bench'] as const;
type User = (typeof users)[number];
const other = (user: User): User => (user === 'peer' ? 'bench' : 'peer');

interface Replica {
  readonly user: User;
  readonly proxy: FaultProxy;
  process: ControllerProcess;
}

let bed: ControlPlane;
let cluster: Cluster;
let replicas: Record<User, Replica>;
let mark: number;
let round = 0;

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', podReadyMs: 200, podStopMs: 200 });
  cluster = openCluster(bed);
  await installResources(bed);
  await cluster.create(namespace(leaseNamespace));
});

afterAll(() => bed?.stop());

// Each replica is a user of its own, so that the audit log tells who wrote what, behind a proxy of its own, so that one can be cut off.
beforeEach(async () => {
  round += 1;
  mark = bed.auditMark();
  const start = async (user: User): Promise<Replica> => {
    const proxy = await startFaultProxy(bed);
    const args = [`--leader-election-namespace=${leaseNamespace}`];
    return {
      user,
      proxy,
      process: await startController(bed, { kubeconfig: proxy.kubeconfigFor(user), leaderElect: true, args }),
    };
  };
  const [peer, bench] = await Promise.all([start('peer'), start('bench')]);
  replicas = { peer, bench };
});

afterEach(async () => {
  for (const { process, proxy } of Object.values(replicas)) {
    proxy.reconnect();
    if (!process.hasEnded) await process.stop();
    await proxy.stop();
  }
});

async function leader(): Promise<Replica> {
  const leads = async ({ process }: Replica) => !process.hasEnded && /^drover_leader(\{.*\})? 1$/m.test(await process.metrics());
  const look = async () => {
    for (const replica of Object.values(replicas)) if (await leads(replica)) return replica;
    return null;
  };
  const found = await eventually('a leader', look, (seen) => seen !== null);
  if (!found) throw new Error('unreachable');
  return found;
}

/** Writes that only a leader may make, in the order in which the server had done them; the Lease is where the two may meet. */
async function writes(): Promise<AuditLine[]> {
  const lines = await bed.auditLog({ from: mark });
  return lines
    .filter(
      ({ user, verb, resource }) =>
        (users as readonly string[]).includes(user) && !['get', 'list', 'watch'].includes(verb) && resource !== 'leases',
    )
    .sort((a, b) => a.finished - b.finished);
}

/** [who, how many] for each stretch of writes by one of them. */
function stretches(lines: readonly AuditLine[]): [string, number][] {
  const found: [string, number][] = [];
  for (const { user } of lines) {
    const last = found.at(-1);
    if (last?.[0] === user) last[1] += 1;
    else found.push([user, 1]);
  }
  return found;
}

/** A node of six pods under a budget of one, so that the drain takes a while, and is in the middle of it. */
async function midway(): Promise<Case> {
  const name = `case-${round}`;
  const slow = { spec: { template: { metadata: { annotations: { 'bed.drover.dev/ready-ms': '1500' } } } } };
  const objects = (ns: string) => [podDisruptionBudget(ns, 'web', { maxUnavailable: 1 }), deployment(ns, 'web', 6, slow)];
  const made = await setStage(cluster, name, { objects, pods: 6 });
  await cluster.readyPods(name, 6);
  await maintain(made, cluster, { handover: 'Never' });
  await eventually(
    'the first pods to leave',
    () => cluster.podsOn(made.old),
    (pods) => pods.length < 6,
  );
  return made;
}

async function phase(name: string, wanted: string): Promise<void> {
  const look = () => cluster.api<NodeMaintenance>({ path: `/apis/drover.dev/v1alpha1/nodemaintenances/${name}` });
  await eventually(`${name} to be ${wanted}`, look, ({ status }) => status?.phase === wanted);
}

/** A new node and its maintenance twice a second, so that whoever leads has something to write at any moment. */
function neverIdle() {
  let count = 0;
  const stop = new AbortController();
  const names: string[] = [];
  const work = (async () => {
    for (; !stop.signal.aborted; ) {
      const name = `round-${round}-${count++}`;
      await createNodes(bed.api, [node(name)]);
      await cluster.create(maintenanceObject(name, { nodeName: name, drain: { emptyFor: '0s', settle: { enabled: false } } }));
      names.push(name);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  return {
    async end() {
      stop.abort();
      await work;
      for (const name of names) await phase(name, 'Drained');
    },
  };
}

const until = (what: string, user: string) =>
  eventually(
    what,
    async () => (await writes()).filter((line) => line.user === user),
    (lines) => lines.length > 0,
    { timeoutMs: 40_000 },
  );

/** From the last write of the old leader to the first of the new one, as the API server saw them. Printed, not judged. */
async function report(what: string, from: User): Promise<void> {
  const lines = await writes();
  const last = lines.findLast(({ user }) => user === from)?.finished ?? Number.NaN;
  const first = lines.find(({ user }) => user === other(from))?.requestReceived ?? Number.NaN;
  console.log(`${what}: ${((first - last) / 1_000).toFixed(1)} s between the writes of the two`);
}

describe('two replicas', () => {
  it('go on with the drain when the leader is killed', async () => {
    const { user, process } = await leader();
    const made = await midway();
    await process.kill();
    await phase(made.name, 'Drained');
    expect((await writes()).some((line) => line.user === other(user) && line.subresource === 'eviction')).toBe(true);
    expect(stretches(await writes()).map(([who]) => who)).toEqual([user, other(user)]);
    await report('leader killed', user);
  });

  it('hand the lease over when the leader is stopped', async () => {
    const { user, process } = await leader();
    const made = await midway();
    expect(await process.stop(), process.log()).toBe(0);
    const lease = await cluster.api<{ spec: { holderIdentity?: string; leaseDurationSeconds?: number } }>({
      path: `/apis/coordination.k8s.io/v1/namespaces/${leaseNamespace}/leases/drover-controller`,
    });
    // Either it is nobody's, or the other one has it already: nobody waits for it to run out.
    const free = lease.spec.holderIdentity === '' && lease.spec.leaseDurationSeconds === 1;
    expect(free || (await leader()).user === other(user)).toBe(true);
    await phase(made.name, 'Drained');
    expect(stretches(await writes()).map(([who]) => who)).toEqual([user, other(user)]);
    await report('leader stopped', user);
  });

  it('let one lead when the leader is cut off, and it does not come back as a second', async () => {
    const old = await leader();
    const busy = neverIdle();
    const made = await midway();
    old.proxy.disconnect();
    await until('the other to act', other(old.user));
    old.proxy.reconnect();
    await phase(made.name, 'Drained');
    await busy.end();
    expect((await leader()).user).toBe(other(old.user));
    expect(stretches(await writes()).map(([who]) => who)).toEqual([old.user, other(old.user)]);
    await report('leader cut off', old.user);
  });

  it('let the leader that can do everything but renew stop by itself before the other starts', async () => {
    const old = await leader();
    const busy = neverIdle();
    const made = await midway();
    const heal = old.proxy.on(
      ({ path }) => path.includes('/leases'),
      async () => null,
    );
    await until('the other to act', other(old.user));
    heal();
    await phase(made.name, 'Drained');
    await busy.end();
    expect(stretches(await writes()).map(([who]) => who)).toEqual([old.user, other(old.user)]);
    await report('lease not renewed', old.user);
  });
});
