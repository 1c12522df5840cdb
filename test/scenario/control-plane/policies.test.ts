import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { type KubeObject, namespace, node, pod } from '../../beds/objects.ts';
import { createNodes } from '../../beds/seed.ts';
import { brisk } from '../case.ts';
import { type Cluster, openCluster, policyObject } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { drover } from '../drover.ts';
import { eventually } from '../eventually.ts';

vi.setConfig({ maxConcurrency: 12 });

let bed: ControlPlane;
let cluster: Cluster;
let controller: ControllerProcess;

beforeAll(async () => {
  bed = await startControlPlane({ podStopMs: 200 });
  cluster = openCluster(bed);
  await installResources(bed);
  await cluster.create(namespace('blockers'));
  controller = await startController(bed);
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await bed?.stop();
});

/** Nodes NAME-0, NAME-1, ... that a policy of the case selects by the label case=NAME. */
async function makeNodes(name: string, count: number, overrides: (index: number) => object = () => ({})): Promise<string[]> {
  const nodes = Array.from({ length: count }, (_, index) => {
    const base = node(`${name}-${index}`, overrides(index) as Record<string, unknown>);
    return { ...base, metadata: { ...base.metadata, labels: { ...(base.metadata['labels'] as object), case: name } } };
  });
  await createNodes(bed.api, nodes);
  return nodes.map(({ metadata }) => metadata.name);
}

const leave = { type: 'Taint', taint: { key: 'leave' } };

async function makePolicy(name: string, spec: object = {}): Promise<KubeObject> {
  const policy = policyObject(name, { nodeSelector: { matchLabels: { case: name } }, reasons: [leave], drain: brisk, ...spec });
  await cluster.create(policy);
  return policy;
}

/** A pod without controller keeps the node from being drained. */
const block = async (...names: string[]) => {
  for (const name of names) await cluster.create(pod('blockers', name, { spec: { nodeName: name } }));
};
const unblock = (name: string) => cluster.remove(pod('blockers', name));
const taint = (...names: string[]) =>
  Promise.all(names.map((name) => cluster.patchNode(name, { spec: { taints: [{ key: 'leave', effect: 'PreferNoSchedule' }] } })));
const none = async (name: string) => expect(await cluster.maintenancesOf(name), `maintenances of ${name}`).toEqual([]);

describe.concurrent('reasons', () => {
  it('takes a node out for a taint', async () => {
    const [name = '', other = ''] = await makeNodes('by-taint', 2);
    await makePolicy('by-taint', { reasons: [{ name: 'pool removed', ...leave }] });
    await taint(name);
    const { spec, metadata } = await cluster.phase(name, ['Drained']);
    expect(spec).toMatchObject({
      policy: 'by-taint',
      reason: { type: 'Taint', message: 'pool removed: taint leave:PreferNoSchedule' },
    });
    expect(metadata.labels).toEqual({ 'drover.dev/policy': 'by-taint' });
    expect((await cluster.node(name)).spec.unschedulable).toBe(true);
    await none(other);
  });

  it('takes a node out for a label or an annotation with the right value', async () => {
    const [labelled = '', annotated = '', wrong = ''] = await makeNodes('by-key', 3);
    await makePolicy('by-key', {
      reasons: [
        { type: 'Label', label: { key: 'retire', value: 'yes' } },
        { type: 'Annotation', annotation: { key: 'example.com/retire' } },
      ],
      disruption: { maxNodes: 3 },
    });
    await cluster.patchNode(wrong, { metadata: { labels: { retire: 'no' } } });
    await cluster.patchNode(labelled, { metadata: { labels: { retire: 'yes' } } });
    await cluster.patchNode(annotated, { metadata: { annotations: { 'example.com/retire': 'today' } } });
    expect((await cluster.phase(labelled, ['Drained'])).spec.reason).toEqual({ type: 'Label', message: 'label retire=yes' });
    expect((await cluster.phase(annotated, ['Drained'])).spec.reason.message).toBe('annotation example.com/retire=today');
    await none(wrong);
  });

  it('takes a node out for a condition only when it has lasted', async () => {
    const [lasting = '', passing = ''] = await makeNodes('by-condition', 2);
    await makePolicy('by-condition', { reasons: [{ type: 'Condition', condition: { type: 'KernelDeadlock', for: '4s' } }] });
    await cluster.setCondition(passing, 'KernelDeadlock', 'True');
    await cluster.setCondition(lasting, 'KernelDeadlock', 'True');
    await cluster.setCondition(passing, 'KernelDeadlock', 'False');
    expect((await cluster.phase(lasting, ['Drained'])).spec.reason.message).toBe('condition KernelDeadlock=True (Test)');
    await none(passing);
  });

  it('selects nothing with an empty selector', async () => {
    const [name = ''] = await makeNodes('by-nothing', 1);
    await makePolicy('by-nothing', { nodeSelector: {}, reasons: [{ type: 'Taint', taint: { key: 'by-nothing' } }] });
    await cluster.patchNode(name, { spec: { taints: [{ key: 'by-nothing', effect: 'NoSchedule' }] } });
    const seen = async () => (await cluster.policy('by-nothing')).status;
    expect(await eventually('a status of the policy', seen, (status) => status?.observedGeneration === 1)).toMatchObject({
      selected: 0,
      matched: 0,
    });
    await none(name);
    expect((await drover(bed.kubeconfig, 'why', name)).stdout).toContain(
      'policy by-nothing does not select it: its nodeSelector is empty',
    );
  });

  it('prefers the policy of the higher priority where several want a node', async () => {
    const [name = ''] = await makeNodes('priority', 1);
    const reasons = [{ type: 'Label', label: { key: 'retire' } }];
    await makePolicy('priority', { reasons, priority: 1 });
    await cluster.create(
      policyObject('a-lower-priority', { nodeSelector: { matchLabels: { case: 'priority' } }, reasons, drain: brisk }),
    );
    await cluster.patchNode(name, { metadata: { labels: { retire: '' } } });
    expect((await cluster.phase(name, ['Drained'])).spec).toMatchObject({ policy: 'priority', priority: 1 });
    expect(await cluster.maintenancesOf(name)).toHaveLength(1);
  });
});

describe.concurrent('limits', () => {
  it('starts nothing for a paused policy until it is resumed', async () => {
    const [name = ''] = await makeNodes('paused', 1);
    await makePolicy('paused', { paused: true });
    await taint(name);
    const seen = async () => (await cluster.policy('paused')).status;
    expect(await eventually('the policy to match', seen, (status) => status?.matched === 1)).toMatchObject({
      active: 0,
      done: 0,
    });
    expect((await cluster.node(name)).spec.unschedulable).toBeUndefined();
    expect((await drover(bed.kubeconfig, 'why', name)).stdout).toContain(
      'policy paused selects it, and wants it out: taint leave:PreferNoSchedule',
    );
    expect(await drover(bed.kubeconfig, 'resume', 'policy/paused')).toMatchObject({ code: 0, stdout: 'policy/paused resumed\n' });
    await cluster.phase(name, ['Drained']);
  });

  it('starts nothing new after drover pause policy/NAME, and finishes what is under way', async () => {
    const [first = '', second = ''] = await makeNodes('pausing', 2);
    await makePolicy('pausing');
    await block(first);
    await taint(first);
    await cluster.waitsFor(first, 'ProtectedPod');
    await taint(second);
    await cluster.waitsFor(second, 'MaxNodes');
    expect(await drover(bed.kubeconfig, 'pause', 'policy/pausing')).toMatchObject({ code: 0, stdout: 'policy/pausing paused\n' });
    await cluster.waitsFor(second, 'PolicyPaused');
    await unblock(first);
    await cluster.phase(first, ['Drained']);
    expect((await cluster.maintenancesOf(second))[0]?.status?.phase).toBe('Pending');
  });

  it('counts a node that someone else has cordoned and one that is not Ready', async () => {
    const [wanted = '', cordoned = ''] = await makeNodes('counting', 2);
    // kwok leaves it alone, so it never gets Ready
    const stranger = node('counting-not-ready', { metadata: { labels: { type: 'stranger', case: 'counting' } } });
    await cluster.create(stranger);
    await cluster.patchNode(cordoned, { spec: { unschedulable: true } });
    await makePolicy('counting', { disruption: { maxNodes: 2 } });
    await taint(wanted);
    const waits = await cluster.waitsFor(wanted, 'MaxNodes');
    expect(waits.message).toContain('policy counting allows 2 nodes out at a time');
    for (const out of [cordoned, stranger.metadata.name]) expect(waits.message).toContain(out);
    expect((await cluster.node(wanted)).spec.unschedulable).toBeUndefined();
    await cluster.patchNode(cordoned, { spec: { unschedulable: null } });
    await cluster.phase(wanted, ['Drained']);
  });

  it('takes one node per zone where the policy says so', async () => {
    const names = await makeNodes('zones', 3, (index) => ({ metadata: { labels: { zone: index < 2 ? 'a' : 'b' } } }));
    await makePolicy('zones', { disruption: { maxNodes: '100%', perGroup: [{ label: 'zone', maxNodes: 1 }] } });
    await block(...names);
    await taint(...names);
    await cluster.waitsFor(names[2] ?? '', 'ProtectedPod');
    const inZone = async () =>
      (await Promise.all(names.slice(0, 2).map((name) => cluster.maintenancesOf(name)))).flatMap(
        ([newest]) => newest?.status ?? [],
      );
    const causes = (seen: Awaited<ReturnType<typeof inZone>>) => seen.map((status) => status.waitingFor?.cause ?? '').sort();
    const [status] = (
      await eventually(
        'one of zone a to wait for the other',
        inZone,
        (seen) => String(causes(seen)) === 'GroupLimit,ProtectedPod',
      )
    ).filter(({ phase }) => phase === 'Pending');
    expect(status?.waitingFor?.message).toContain('policy zones allows 1 node out at a time where zone=a');
    for (const name of names) await unblock(name);
    for (const name of names) await cluster.phase(name, ['Drained']);
  });

  it('spaces its starts by minInterval', async () => {
    const names = await makeNodes('spaced', 2);
    await makePolicy('spaced', { disruption: { maxNodes: '100%', minInterval: '20s' } });
    await taint(...names);
    const waits = async () =>
      (await Promise.all(names.map((name) => cluster.maintenancesOf(name)))).map(([newest]) => newest?.status?.waitingFor?.cause);
    await eventually('one to wait for the interval', waits, (causes) => causes.includes('MinInterval'));
    const starts = [];
    for (const name of names) starts.push(Date.parse((await cluster.phase(name, ['Drained'])).status?.startedAt ?? ''));
    expect(Math.abs((starts[0] ?? 0) - (starts[1] ?? 0))).toBeGreaterThanOrEqual(19_000); // the status has whole seconds
  });

  it('starts nothing when most nodes have the condition at once', async () => {
    const names = await makeNodes('mass', 5);
    for (const name of names) await cluster.setCondition(name, 'BadDisk', 'True');
    await makePolicy('mass', {
      reasons: [{ type: 'Condition', condition: { type: 'BadDisk' } }],
      disruption: { maxNodes: '100%' },
    });
    for (const name of names) {
      const waits = await cluster.waitsFor(name, 'MassTrigger');
      expect(waits.message).toContain('5 of 5 nodes of policy mass match at once');
    }
    const [well = '', alsoWell = ''] = names;
    await cluster.setCondition(well, 'BadDisk', 'False');
    await cluster.setCondition(alsoWell, 'BadDisk', 'False');
    for (const name of names.slice(2)) await cluster.phase(name, ['Drained']);
    for (const name of [well, alsoWell]) {
      await cluster.phase(name, ['Cancelled']);
      expect((await cluster.node(name)).spec.unschedulable).toBeUndefined();
    }
  });
});
