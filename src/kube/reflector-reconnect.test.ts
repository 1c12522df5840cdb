import { beforeEach, describe, expect, it } from 'vitest';
import { KubeError } from './client.ts';
import { type FakeClient, fakeClient, refusal, settle } from './testing/fake-client.ts';
import { asksForList, bookmark, endOfList, event, pod, type ReflectorBed, reflectorBed } from './testing/reflector-bed.ts';

let bed: ReflectorBed;
beforeEach(() => {
  bed = reflectorBed();
});

describe('the end of a watch', () => {
  it.each(['cut', 'end'] as const)(
    '(%s) leads to a watch from the last version, bookmarks included, in less than 100 ms',
    async (how) => {
      const { client, reflector } = await bed.synced();
      client.last().send(event('MODIFIED', pod('a', '11')), bookmark('15'));
      await settle();
      client.last()[how]();
      await settle();
      await bed.clock.advance(100);
      await settle();
      expect(client.requests).toHaveLength(2);
      expect(client.requests[1]?.query).toMatchObject({ watch: true, resourceVersion: '15' });
      expect(client.requests[1]?.query).not.toHaveProperty('sendInitialEvents');
      client.last().send(event('MODIFIED', pod('b', '16')));
      await settle();
      expect(bed.told).toEqual(['Modified a 11 was 3', 'Modified b 16 was 2']);
      await reflector.stop();
    },
  );

  it('asks the server for another end each time, between 290 and 580 s', async () => {
    bed.random = 0;
    const { client, reflector } = await bed.synced();
    bed.random = 0.999;
    client.last().end();
    await settle();
    await bed.clock.advance(100);
    await settle();
    expect(client.requests.map(({ query }) => query?.['timeoutSeconds'])).toEqual([290, 580]);
    await reflector.stop();
  });

  it('that comes again and again is met with longer and longer waits, until one watch lasts a minute', async () => {
    bed.random = 0.999;
    const { client, reflector } = await bed.synced();
    const waits: number[] = [];
    const endAfter = async (lasts: number) => {
      await bed.clock.advance(lasts);
      client.last().end();
      await settle();
      waits.push(Math.round(((bed.clock.next() ?? 0) - bed.clock.now()) / 100) * 100);
      await bed.clock.advance(30_000);
      await settle();
    };
    for (let count = 0; count < 8; count++) await endAfter(0);
    await endAfter(61_000);
    await endAfter(0);
    expect(waits).toEqual([100, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 100, 1600]);
    await reflector.stop();
  });

  it('by silence comes after at most 150 s without a byte, and is counted', async () => {
    const { client, reflector } = await bed.synced();
    for (let minute = 0; minute < 10; minute++) {
      await bed.clock.advance(60_000);
      client.last().send(bookmark(String(20 + minute)));
      await settle();
    }
    expect(client.requests).toHaveLength(1);
    expect(reflector.healthy(bed.clock.now())).toBe(true);
    const silent = client.last();
    await bed.clock.advance(150_000);
    await settle();
    await bed.clock.advance(100);
    await settle();
    expect(silent.closed).toBe(true);
    expect(reflector.counters.silences).toBe(1);
    expect(client.requests[1]?.query).toMatchObject({ resourceVersion: '29' });
    await reflector.stop();
  });

  it('by silence also comes when no answer comes at all', async () => {
    let hangs = false;
    const { client, reflector } = await bed.synced(fakeClient(() => (hangs ? 'hang' : 'open')));
    hangs = true;
    client.last().end();
    await settle();
    await bed.clock.advance(100);
    await settle();
    hangs = false;
    expect(reflector.healthy(bed.clock.now() + 180_000)).toBe(false);
    await bed.clock.advance(180_000);
    await settle();
    expect(client.requests).toHaveLength(3);
    expect(reflector.counters.silences).toBe(1);
    await reflector.stop();
  });

  it('by a broken frame is counted, resumed once, then gone around by a list', async () => {
    const { client, reflector } = await bed.synced();
    for (const count of [1, 2]) {
      client.last().bytes(Buffer.from('{"type":"MODIFIED","obj\n'));
      await settle();
      expect(reflector.counters.brokenFrames).toBe(count);
      await bed.clock.advance(30_000);
      await settle();
    }
    expect(client.requests[1]?.query).toMatchObject({ resourceVersion: '10' });
    expect(client.requests[1]?.query).not.toHaveProperty('sendInitialEvents');
    expect(client.requests[2]?.query).toMatchObject({ sendInitialEvents: true, resourceVersion: '10' });
    await reflector.stop();
  });

  it('by a refusal is told, waits as long as Retry-After says, and keeps the version', async () => {
    let refuse = false;
    const busy = new KubeError('busy', { code: 429, retryAfterMs: 17_000 });
    const { client, reflector } = await bed.synced(fakeClient(() => (refuse ? busy : 'open')));
    refuse = true;
    client.last().end();
    await settle();
    await bed.clock.advance(100);
    expect(bed.errors).toEqual([busy]);
    refuse = false;
    await bed.clock.advance(16_800);
    expect(client.requests).toHaveLength(2);
    await bed.clock.advance(200);
    await settle();
    expect(client.requests[2]?.query).toMatchObject({ resourceVersion: '10' });
    await reflector.stop();
  });
});

describe('a version that is too old', () => {
  const relist = async (client: FakeClient) => {
    await settle();
    await bed.clock.advance(100);
    await settle();
    expect(client.requests.at(-1)?.query).toMatchObject({ sendInitialEvents: true, resourceVersion: undefined });
    client.last().send(event('ADDED', pod('a', '30')), event('ADDED', pod('c', '31')), endOfList('40'));
    await settle();
  };

  it('(ERROR event) leads to a list, which tells only what has changed, with tombstones', async () => {
    const { client, reflector } = await bed.synced();
    client.last().send(event('ERROR', { code: 410, reason: 'Expired', message: 'too old resource version' }));
    await relist(client);
    expect(bed.told).toEqual(['Modified a 30 was 3', 'Added c 31', 'Deleted b 2 was 2']);
    expect(reflector.resourceVersion).toBe('40');
    expect(reflector.counters.lists).toBe(2);
    await reflector.stop();
  });

  it('(HTTP 410) leads to a list', async () => {
    let expired = false;
    const { client, reflector } = await bed.synced(
      fakeClient((request) => (expired && !asksForList(request) ? refusal(410) : 'open')),
    );
    expired = true;
    bed.random = 0.05;
    client.last().end();
    await settle();
    await bed.clock.advance(100);
    await relist(client);
    expect(bed.told).toContain('Deleted b 2 was 2');
    await reflector.stop();
  });

  it('does not let an object of the same version be told again', async () => {
    const { client, reflector } = await bed.synced();
    client.last().send(event('ERROR', { code: 410 }));
    await settle();
    await bed.clock.advance(100);
    await settle();
    client.last().send(event('ADDED', pod('a', '3')), event('ADDED', pod('b', '2')), endOfList('40'));
    await settle();
    expect(bed.told).toEqual([]);
    await reflector.stop();
  });

  it('on a server that is behind the one we saw leads to a list of its latest', async () => {
    let behind = false;
    const tooNew = refusal(504, { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
    const { client, reflector } = await bed.synced(fakeClient((request) => (behind && !asksForList(request) ? tooNew : 'open')));
    behind = true;
    bed.random = 0.01;
    client.last().end();
    await settle();
    await bed.clock.advance(100);
    await relist(client);
    expect(reflector.resourceVersion).toBe('40');
    await reflector.stop();
  });
});
