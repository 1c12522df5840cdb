import { describe, expect, it } from 'vitest';
import { planCluster } from '../../../bench/plan-cluster.ts';
import type { DrainSpec } from '../../api/resources.ts';
import type { KubeObject, Node } from '../../sim/kubernetes.ts';
import type { Snapshot } from '../../sim/snapshot/snapshot.ts';
import { proposeNodes, proposePolicies } from './proposal.ts';
import { isStuck, jsonReport, textReport } from './report.ts';
import { type Rehearsal, rehearse } from './simulate.ts';
import { learnTimings } from './timings.ts';

const MINUTE = 60_000;
const small = () => planCluster({ nodes: 6, podsPerNode: 10 });
const nodesOf = ({ objects }: Snapshot) => objects.filter((object): object is Node => object.kind === 'Node');

interface Proposed {
  readonly snapshot?: Snapshot;
  readonly names?: readonly string[];
  readonly maxNodes?: number;
  readonly drain?: Partial<DrainSpec>;
  readonly afterwards?: Rehearsal['afterwards'];
}

function plan({ snapshot = small(), names = [], maxNodes = 1, drain = {}, afterwards = 'return' }: Proposed = {}): Rehearsal {
  const selector = names.length > 0 ? null : 'pool=all';
  return {
    snapshot,
    proposal: proposeNodes(nodesOf(snapshot), names, selector, { maxNodes, drain }),
    timings: learnTimings(snapshot.objects, { readyMs: null, stopMs: 1_000 }),
    afterwards,
    seed: 1,
    limitMs: 24 * 60 * MINUTE,
  };
}

/** The cluster with one kind of object changed. */
const changed = (kind: string, change: (object: KubeObject) => KubeObject): Snapshot => {
  const snapshot = small();
  return { ...snapshot, objects: snapshot.objects.map((object) => (object.kind === kind ? change(object) : object)) };
};

describe('a plan', () => {
  it('takes every node out and back, within its limits and its budgets', async () => {
    const result = await rehearse(plan({ maxNodes: 2 }));
    expect(result.nodes.map(({ phase }) => phase)).toEqual(Array(6).fill('HandedBack'));
    expect(result.violations).toBe(0);
    expect(result.evictions).toBeGreaterThanOrEqual(60);
    expect(result.blocked).toEqual([]);
    // Draining and settling, from the first event of each: never three at a time.
    const moments = result.nodes.flatMap(({ startedMs, drainedMs }) => [
      [startedMs ?? 0, 1] as const,
      [drainedMs ?? 0, -1] as const,
    ]);
    let out = 0;
    for (const [, by] of moments.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
      out += by;
      expect(out).toBeLessThanOrEqual(2);
    }
  });

  it('counts a node that is rebooted as done when it is back', async () => {
    const drained = plan({ names: ['node-00000', 'node-00001'] });
    const policies = drained.proposal.policies.map((policy) => ({
      ...policy,
      spec: { ...policy.spec, action: 'Reboot' as const },
    }));
    const result = await rehearse({ ...drained, proposal: { ...drained.proposal, policies } });
    expect(result.nodes.map(({ phase, stuck }) => [phase, stuck])).toEqual(Array.from({ length: 2 }, () => ['HandedBack', null]));
    // A machine is down for half a minute at least, and is looked at for another; the second begins when the first is back.
    const [first, second] = result.nodes;
    expect((first?.drainedMs ?? 0) - (first?.startedMs ?? 0)).toBeGreaterThan(MINUTE);
    expect(second?.startedMs).toBeGreaterThanOrEqual(first?.drainedMs ?? Infinity);
    expect(result.unfinished).toBe(false);
  });

  it('takes longer when fewer nodes may be out', async () => {
    const [one, three] = [await rehearse(plan({ maxNodes: 1 })), await rehearse(plan({ maxNodes: 3 }))];
    expect(one.makespanMs).toBeGreaterThan(three.makespanMs * 1.5);
  });

  it('is the same for the same seed', async () => {
    expect(await rehearse(plan())).toEqual(await rehearse(plan()));
  });

  it('names the pods that a budget never lets go, and ends all the same', async () => {
    const never = changed('PodDisruptionBudget', (object) =>
      object.metadata.name === 'app-00000'
        ? {
            ...object,
            spec: { ...(object['spec'] as object), maxUnavailable: 0 },
            status: { ...(object['status'] as object), disruptionsAllowed: 0, desiredHealthy: 10 },
          }
        : object,
    );
    const result = await rehearse(plan({ snapshot: never, names: ['node-00000'], drain: { handover: 'Never' } }));
    expect(isStuck(result)).toBe(true);
    expect(result.blocked.length).toBeGreaterThan(0);
    for (const { pod, cause, message } of result.blocked) {
      expect(pod).toMatch(/^team-00000\/app-00000-/);
      expect(cause).toBe('BudgetNeverAllows');
      expect(message).toContain('team-00000/app-00000');
    }
  });

  it('is never a pod short with handover Always, and blinks without', async () => {
    const kept = await rehearse(plan({ names: ['node-00001'], drain: { handover: 'Always' } }));
    expect(kept.blinks).toEqual([]);
    expect(kept.handovers).toBe(10);
    const plain = await rehearse(plan({ names: ['node-00001'], drain: { handover: 'Never' } }));
    expect(plain.blinks.length).toBeGreaterThan(0);
    expect(plain.handovers).toBe(0);
  });

  it('says how many pods find no place when drained nodes do not come back', async () => {
    const tight = changed('Node', (object) => ({
      ...object,
      status: { ...(object['status'] as object), allocatable: { cpu: '2500m', memory: '64Gi', pods: '110' } },
    }));
    const result = await rehearse(plan({ snapshot: tight, names: ['node-00000', 'node-00001'], afterwards: 'keep' }));
    expect(result.pending.most).toBeGreaterThan(0);
    expect(result.pending.message).toContain('Insufficient cpu');
  });
});

describe('the report', () => {
  const canvas = { columns: 100, unicode: true, paint: (_: string, text: string) => text };

  it('begins with the answer and has a row on the timeline for each node', async () => {
    const made = plan({ maxNodes: 2 });
    const lines = textReport(made, await rehearse(made), canvas);
    expect(lines[0]).toMatch(/^6 nodes in \d+s; nothing stands in the way$/);
    for (const { metadata } of nodesOf(made.snapshot))
      expect(lines.filter((line) => line.startsWith(metadata.name))).toHaveLength(1);
  });

  it('gives programs seconds and names', async () => {
    const made = plan({ names: ['node-00000'] });
    expect(jsonReport(made, await rehearse(made))).toMatchObject({
      takenAt: '2026-06-01T12:00:00.000Z',
      canFinish: true,
      assumed: { readySeconds: 3, stopSeconds: 1, learnedOwners: 6 },
      nodes: [{ node: 'node-00000', phase: 'HandedBack', pods: 10, stuck: null }],
      violations: 0,
    });
  });
});

describe('a plan with gates', () => {
  it('takes them as open, and says so', async () => {
    const made = plan();
    const text = [
      'apiVersion: drover.dev/v1alpha1',
      'kind: MaintenancePolicy',
      'metadata: {name: careful}',
      'spec: {nodeSelector: {matchLabels: {pool: all}}, reasons: [{type: Taint, taint: {key: retire}}], gates: {approval: {}, prometheus: [{url: "http://nowhere", alerts: {}}]}}',
    ].join('\n');
    const gated = { ...made, proposal: proposePolicies(nodesOf(made.snapshot), [{ file: 'careful.yaml', text }], true) };
    const result = await rehearse(gated);
    expect(isStuck(result)).toBe(false);
    expect(textReport(gated, result, { columns: 100, unicode: true, paint: (_, each) => each })[1]).toBe(
      'Policy careful has gates (approval, prometheus[0]), which a plan cannot ask: it takes them as open.',
    );
    expect(jsonReport(gated, result)).toMatchObject({
      gatesTakenAsOpen: [{ policy: 'careful', gates: ['approval', 'prometheus[0]'] }],
    });
  });
});

describe('a plan with maintenance windows', () => {
  const canvas = { columns: 100, unicode: true, paint: (_: string, text: string) => text };
  /** The snapshot is of a Monday, 12:00 UTC. */
  const windowed = (windows: string, limitMs: number): Rehearsal => {
    const made = plan();
    const text = [
      'apiVersion: drover.dev/v1alpha1',
      'kind: MaintenancePolicy',
      'metadata: {name: nightly}',
      `spec: {nodeSelector: {matchLabels: {pool: all}}, reasons: [{type: Taint, taint: {key: retire}}], schedule: ${windows}}`,
    ].join('\n');
    return { ...made, limitMs, proposal: proposePolicies(nodesOf(made.snapshot), [{ file: 'nightly.yaml', text }], true) };
  };

  it('waits for them, however far they are, and says when the first opens', async () => {
    const made = windowed("{timeZone: Europe/Amsterdam, windows: [{cron: '0 2 * * SAT#3', duration: 4h}]}", 60 * MINUTE);
    const result = await rehearse(made);
    const lines = textReport(made, result, canvas);
    expect(lines[0]).toMatch(/^6 nodes in .+; nothing stands in the way$/);
    expect(lines[1]).toMatch(
      /^Policy nightly starts nothing before Sat 2026-06-20 02:00 Europe\/Amsterdam, .+ after the snapshot\.$/,
    );
    expect(result.unfinished).toBe(false);
    const opens = Date.parse('2026-06-20T00:00:00Z') - Date.parse('2026-06-01T12:00:00Z');
    expect(Math.abs((result.nodes[0]?.startedMs ?? 0) - opens)).toBeLessThan(MINUTE);
    expect(jsonReport(made, result)).toMatchObject({ canFinish: true, windows: [{ policy: 'nightly' }] });
  });

  it('does not call a node stuck that only waits for the next one when the plan is given up', async () => {
    const made = windowed(
      "{windows: [{start: '20:00', end: '20:00', days: [Sat]}], exclude: [{from: 2026-06-02, to: 2026-06-02}]}",
      0,
    );
    const result = await rehearse(made);
    expect(isStuck(result)).toBe(true);
    const lines = textReport(made, result, canvas);
    expect(lines[0]).toMatch(/; 6 nodes still waiting for a window when the plan was given up \(--limit\)$/);
    expect(lines).not.toContain('Can never move');
  });
});

describe('a proposal', () => {
  const nodes = nodesOf(small());

  it('names what it does not find', () => {
    const limits = { maxNodes: 1, drain: {} };
    expect(() => proposeNodes(nodes, ['node-0000'], null, limits)).toThrow(
      /there is no node "node-0000"; did you mean node-0000\d/,
    );
    expect(() => proposeNodes(nodes, [], 'pool=none', limits)).toThrow('no node matches the selector "pool=none"');
  });

  it('takes the nodes of a policy only when they have a reason, or all when told so', () => {
    const text = [
      'apiVersion: drover.dev/v1alpha1',
      'kind: MaintenancePolicy',
      'metadata: {name: retire}',
      'spec:',
      '  nodeSelector: {matchLabels: {pool: all}}',
      '  reasons: [{type: Taint, taint: {key: retire}}]',
    ].join('\n');
    const file = 'retire.yaml';
    expect(proposePolicies(nodes, [{ file, text }], false).marked.size).toBe(0);
    expect(proposePolicies(nodes, [{ file, text }], true).marked.size).toBe(6);
    expect(() => proposePolicies(nodes, [{ file, text: text.replace('Taint,', 'Tint,') }], false)).toThrow(
      /^retire.yaml: MaintenancePolicy "retire": spec.reasons\[0\]/,
    );
  });
});
