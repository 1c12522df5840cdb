import { beforeEach, describe, expect, it } from 'vitest';
import { type Clock, createVirtualClock, type VirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { KubeError, type KubeRequest } from './client.ts';
import { type Election, electLeader } from './lease.ts';
import { type Answer, fakeClient, refusal, settle } from './testing/fake-client.ts';

interface Stored {
  metadata: { name: string; namespace: string; resourceVersion: string };
  spec: { holderIdentity: string; leaseTransitions: number; leaseDurationSeconds: number; renewTime: string };
}

/** One Lease with the API server's rules: guarded updates, 404 and 409. `fault` may answer instead, per candidate. */
function leaseServer() {
  let lease: Stored | undefined;
  let version = 0;
  const answer = (request: KubeRequest): Answer => {
    const body = request.body as Stored;
    if (request.method === 'GET') return lease ?? refusal(404, { reason: 'NotFound' });
    if (request.method === 'POST' && lease) return refusal(409, { reason: 'AlreadyExists' });
    if (request.method === 'PUT' && body.metadata.resourceVersion !== lease?.metadata.resourceVersion)
      return refusal(409, { reason: 'Conflict' });
    lease = { ...body, metadata: { ...body.metadata, resourceVersion: String(++version) } };
    return lease;
  };
  const fault = new Map<string, (request: KubeRequest, proceed: () => Answer) => Answer>();
  return {
    client: (identity: string) =>
      fakeClient((request) => {
        const broken = fault.get(identity);
        return broken ? broken(request, () => answer(request)) : answer(request);
      }),
    fault,
    get spec() {
      return lease?.spec;
    },
    steal: (holderIdentity: string) => {
      if (lease)
        lease = { metadata: { ...lease.metadata, resourceVersion: String(++version) }, spec: { ...lease.spec, holderIdentity } };
    },
    remove: () => {
      lease = undefined;
    },
  };
}

let clock: VirtualClock;
let server: ReturnType<typeof leaseServer>;
let story: string[];
beforeEach(() => {
  clock = createVirtualClock(1_700_000_000_000);
  server = leaseServer();
  story = [];
});

function candidate(identity: string, ownClock: Clock = clock): Election {
  return electLeader({
    client: server.client(identity),
    namespace: 'drover',
    name: 'controller',
    identity,
    clock: ownClock,
    log: silentLog,
    random: () => 0.5,
    onGained: (term) => story.push(`${identity} gained ${term}`),
    onLost: () => story.push(`${identity} lost`),
  });
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    await clock.advance(Math.min(500, left));
    await settle(3);
  }
}

describe('an election', () => {
  it('has one leader, who stays it', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    await pass(120_000);
    expect(story).toEqual(['a gained 1']);
    expect([a.isLeader(), b.isLeader()]).toEqual([true, false]);
    expect([a.term(), b.term()]).toEqual([1, 0]);
    expect(server.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 1 });
    expect(server.spec?.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    await Promise.all([a.stop(), b.stop()]);
    expect(clock.next()).toBeUndefined();
  });

  it('hands over within a retry when the leader stops, and only after the lease ran out when it does not release', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    await pass(10_000);
    await a.stop();
    expect(server.spec?.holderIdentity).toBe('');
    await pass(4500);
    expect(story).toEqual(['a gained 1', 'a lost', 'b gained 2']);
    const c = candidate('c');
    await pass(3000);
    await b.stop(false);
    await pass(10_000);
    expect(c.isLeader()).toBe(false);
    await pass(10_000);
    expect(c.isLeader()).toBe(true);
    expect(c.term()).toBe(3);
    await c.stop();
  });

  it('never has two leaders when the leader is cut off, whose leadership ends before the next one begins', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    await pass(5000);
    server.fault.set('a', () => 'hang');
    for (let seconds = 0; seconds < 60; seconds++) {
      await pass(1000);
      expect([a.isLeader(), b.isLeader()]).not.toEqual([true, true]);
    }
    expect(story).toEqual(['a gained 1', 'a lost', 'b gained 2']);
    server.fault.delete('a');
    await pass(10_000);
    expect([a.isLeader(), b.isLeader()]).toEqual([false, true]);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('ends by the own clock at the renew deadline while a renewal hangs', async () => {
    const a = candidate('a');
    await pass(4000);
    server.fault.set('a', () => 'hang');
    await pass(7000);
    expect(a.isLeader()).toBe(true);
    await pass(6000);
    expect(a.isLeader()).toBe(false);
    expect(story).toEqual(['a gained 1', 'a lost']);
    await a.stop(false);
  });

  it('begins a new term when the same process leads again', async () => {
    const a = candidate('a');
    await pass(4000);
    server.fault.set('a', () => new KubeError('cut', { code: 0 }));
    await pass(13_000);
    server.fault.delete('a');
    await pass(5000);
    expect(story).toEqual(['a gained 1', 'a lost', 'a gained 2']);
    expect(server.spec?.leaseTransitions).toBe(2);
    await a.stop();
  });

  it('survives a renewal that was done though its answer was lost', async () => {
    const a = candidate('a');
    await pass(4000);
    let lose = true;
    server.fault.set('a', (request, proceed) => {
      const done = proceed();
      if (request.method !== 'PUT' || !lose) return done;
      lose = false;
      return new KubeError('cut', { code: 0 });
    });
    await pass(60_000);
    expect(story).toEqual(['a gained 1']);
    await a.stop();
  });

  it('is lost at once when somebody else has written himself in', async () => {
    const a = candidate('a');
    await pass(4000);
    server.steal('z');
    await pass(2500);
    expect(story).toEqual(['a gained 1', 'a lost']);
    await pass(10_000);
    expect(a.isLeader()).toBe(false);
    await pass(10_000);
    expect(story).toEqual(['a gained 1', 'a lost', 'a gained 2']);
    await a.stop();
  });

  it('goes on with a higher term when somebody deletes the lease', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    await pass(4000);
    server.remove();
    await pass(20_000);
    expect([a, b].filter((each) => each.isLeader())).toHaveLength(1);
    expect(server.spec?.leaseTransitions).toBeGreaterThanOrEqual(1);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('is not won by a follower whose clock is set forward, for it measures by timers', async () => {
    let skew = 0;
    const skewed = { ...clock, now: () => clock.now() + skew };
    const [a, b] = [candidate('a'), candidate('b', skewed)];
    await pass(10_000);
    skew = 3_600_000;
    await pass(30_000);
    expect(story).toEqual(['a gained 1']);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('ends when stopped in the middle of a request, and does not lead afterwards', async () => {
    const a = candidate('a');
    server.fault.set('a', () => 'hang');
    await settle();
    await a.stop();
    await pass(60_000);
    expect(story).toEqual([]);
    expect(clock.next()).toBeUndefined();
  });

  it('refuses periods that contradict each other', () => {
    const build = (leaseDurationMs: number, renewDeadlineMs: number) =>
      electLeader({
        client: server.client('a'),
        namespace: 'n',
        name: 'l',
        identity: 'a',
        clock,
        log: silentLog,
        random: () => 0,
        leaseDurationMs,
        renewDeadlineMs,
        onGained: () => undefined,
        onLost: () => undefined,
      });
    expect(() => build(10_000, 10_000)).toThrow(RangeError);
    expect(() => build(15_000, 2000)).toThrow(RangeError);
  });
});
