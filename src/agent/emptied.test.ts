import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import { createInProcessClient } from '../sim/apiserver/in-process.ts';
import { nodes } from '../sim/apiserver/kinds.ts';
import { createSimulatedCluster } from '../sim/cluster.ts';
import { createEmptied } from './emptied.ts';

const SECOND = 1_000;

interface Standing {
  readonly drained?: boolean;
  readonly reason?: string;
  readonly open?: boolean;
  readonly event?: string;
}

function start(machines: Readonly<Record<string, Standing>>) {
  const clock = createVirtualClock(Date.UTC(2026, 5, 1));
  const cluster = createSimulatedCluster({ clock, seed: 1, without: ['autoscaler'], kubelets: { heartbeats: false } });
  for (const [name, { drained = true, reason = 'DroverDrainCompleted', open = false, event }] of Object.entries(machines)) {
    const signal = { kind: 'Reboot', source: 'azure', id: event, since: '2026-06-01T00:00:00Z', revocable: true, message: '' };
    cluster.api.create(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, ...(event && { annotations: { 'drover.dev/signals': JSON.stringify([signal]) } }) },
      spec: { unschedulable: !open },
      status: { conditions: drained ? [{ type: 'Drained', status: 'True', reason }] : [] },
    });
  }
  const client = createInProcessClient({ handle: cluster.handle, clock, userAgent: 'test' });
  const emptied = createEmptied(client, 'own', clock);
  const ask = async (count: number) => {
    const answer = emptied({ id: 'e', machines: count });
    await clock.advance(0);
    return answer;
  };
  return { ask, advance: (ms: number) => clock.advance(ms) };
}

describe('what an event touches is drained', () => {
  it.each([
    ['when its only node is', { own: {} }, 1, true],
    ['not while its node is not', { own: { drained: false } }, 1, false],
    ['not by somebody else’s word', { own: { reason: 'Mine' } }, 1, false],
    ['not when the node was opened again', { own: { open: true } }, 1, false],
    ['when all of its nodes are', { own: { event: 'e' }, other: { event: 'e' }, third: { drained: false } }, 2, true],
    ['not while one of them is not', { own: { event: 'e' }, other: { event: 'e', drained: false } }, 2, false],
    ['not where a machine is no node that is known', { own: { event: 'e' }, other: { event: 'another' } }, 2, false],
  ] as const)('%s', async (_, machines, count, expected) => {
    expect(await start(machines).ask(count)).toBe(expected);
  });

  it('is asked for every 5 s at most', async () => {
    const { ask, advance } = start({ own: {} });
    expect(await ask(1)).toBe(true);
    expect(await ask(1)).toBe(false);
    await advance(5 * SECOND);
    expect(await ask(1)).toBe(true);
  });
});
