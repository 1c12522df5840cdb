import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../lib/clock.ts';
import { createGcpMetadata, type GcpMetadata } from '../sim/metadata/gcp.ts';
import { cloudOf } from './cloud.ts';
import { gcpSources } from './gcp.ts';
import type { Source } from './source.ts';
import { type MetadataBed, openMetadataBed } from './testing/metadata-bed.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');

let clock: VirtualClock;
let gcp: GcpMetadata;
let bed: MetadataBed;
let sources: readonly Source[];
beforeEach(async () => {
  clock = createVirtualClock(NOW);
  gcp = createGcpMetadata(clock);
  bed = await openMetadataBed(gcp, ({ client }) => {
    sources = gcpSources({ client, clock, everyMs: 1_000, timeoutMs: 5_000 });
    return sources[0] as Source;
  });
});
afterEach(() => bed.close());

async function read(name: string) {
  const source = sources.find((each) => each.name === name);
  return (await source?.read([], new AbortController().signal))?.signals ?? [];
}

describe('the metadata of Google Cloud', () => {
  it('says nothing of a machine that may go on', async () => {
    for (const { name } of sources) expect(await read(name)).toEqual([]);
  });

  it('waits for a preemption and tells it in the moment it comes, for good', async () => {
    expect(await bed.signals()).toEqual([]);
    const waiting = bed.signals();
    while (bed.server.calls.length < 2) await new Promise((resolve) => setImmediate(resolve));
    gcp.preempt(true);
    const told = await waiting;
    expect(told).toEqual([
      {
        kind: 'SpotInterruption',
        source: 'gcp',
        id: 'preempted',
        since: '2026-01-01T12:00:00Z',
        goneAt: '2026-01-01T12:00:30Z',
        revocable: false,
        message: 'the machine is preempted, it is powered off within 30 s',
        started: true,
      },
    ]);
    expect(bed.server.calls[1]).toMatch(
      /^GET \/computeMetadata\/v1\/instance\/preempted\?wait_for_change=true&timeout_sec=30&last_etag=\w+$/,
    );
    gcp.preempt(true); // another etag, so that the next reading does not wait
    await clock.advance(10_000);
    expect(await bed.signals(told), 'the end is counted from the first sight').toEqual(told);
  });

  it('answers what is there when nothing changes for as long as it waits', async () => {
    await bed.signals();
    const waiting = bed.signals();
    while (bed.server.calls.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(30_000);
    expect(await waiting).toEqual([]);
  });

  it('looks at once after a failure, for it may have missed a change', async () => {
    await bed.signals();
    bed.server.fail({ do: 'Answer', status: 503, body: '' });
    await expect(bed.signals()).rejects.toThrow('instance/preempted answered 503');
    bed.server.fail(null);
    await bed.signals();
    expect(bed.server.calls.at(-1)).toBe('GET /computeMetadata/v1/instance/preempted');
  });

  it.each([
    ['MIGRATE_ON_HOST_MAINTENANCE', 'Freeze', '2026-01-01T12:01:00Z'],
    ['TERMINATE_ON_HOST_MAINTENANCE', 'Terminate', '2026-01-01T13:00:00Z'],
  ] as const)('has maintenance of the host: %s is a %s', async (event, kind, goneAt) => {
    gcp.maintenanceEvent(event);
    expect(await read('gcp-maintenance-event')).toMatchObject([{ kind, id: 'maintenance-event', goneAt, revocable: false }]);
  });

  it.each([
    ['underscores', { maintenance_status: 'PENDING', window_start_time: '2026-01-05T01:00:00Z', can_reschedule: 'true' }],
    ['camel case', { maintenanceStatus: 'PENDING', windowStartTime: '2026-01-05T01:00:00Z', canReschedule: 'true' }],
  ])('has maintenance to come, with %s', async (_, fields) => {
    gcp.upcomingMaintenance({ type: 'SCHEDULED', ...fields });
    expect(await read('gcp-upcoming-maintenance')).toEqual([
      {
        kind: 'Maintenance',
        source: 'gcp',
        id: 'upcoming-2026-01-05T01:00:00Z',
        since: '2026-01-01T12:00:00Z',
        notBefore: '2026-01-05T01:00:00Z',
        revocable: true,
        message: 'scheduled maintenance from 2026-01-05T01:00:00Z, can be moved',
      },
    ]);
  });

  it('has maintenance that goes on', async () => {
    gcp.upcomingMaintenance({ type: 'UNSCHEDULED', maintenance_status: 'ONGOING', window_start_time: '2026-01-01T11:00:00Z' });
    expect(await read('gcp-upcoming-maintenance')).toMatchObject([{ started: true, revocable: false }]);
  });

  it.each([
    ['gcp-preempted', 'maybe', 'neither TRUE nor FALSE'],
    ['gcp-maintenance-event', 'EXPLODE', 'not an event that is known'],
    ['gcp-upcoming-maintenance', '{', 'not JSON'],
    ['gcp-upcoming-maintenance', '{"type":"SCHEDULED"}', 'is not a time'],
    ['gcp-upcoming-maintenance', '7', 'not an object'],
  ])('fails in %s with %s', async (name, text, message) => {
    bed.server.fail({ do: 'Answer', status: 200, body: text, headers: { 'Metadata-Flavor': 'Google' } });
    await expect(read(name)).rejects.toThrow(message);
  });

  it("believes nobody who is not Google's metadata server", async () => {
    bed.server.fail({ do: 'Answer', status: 200, body: 'TRUE' });
    await expect(bed.signals()).rejects.toThrow("not answered by Google's metadata server");
  });

  it('fails with every other way of not answering', () => bed.survivesFaults('instance/preempted answered'));
});

describe('cloudOf', () => {
  it.each([
    ['azure:///subscriptions/S/x', 'azure'],
    ['aws:///eu-west-1a/i-0123', 'aws'],
    ['gce://project/zone/name', 'gcp'],
    ['kind://docker/kind/kind-worker', 'none'],
    ['nonsense', 'none'],
    ['', null],
    [undefined, null],
  ])('%s is %s', (providerId, cloud) => {
    expect(cloudOf(providerId)).toBe(cloud);
  });
});
