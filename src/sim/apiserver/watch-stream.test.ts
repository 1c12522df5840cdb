import { describe, expect, it } from 'vitest';
import { createDoorBed, type DoorBed } from '../testing/door-bed.ts';

const PODS = '/api/v1/namespaces/default/pods';
const MERGE = 'application/merge-patch+json';

const label = (bed: DoorBed, name: string, app: string | null) =>
  bed.ask('PATCH', `${PODS}/${name}`, { contentType: MERGE, body: { metadata: { labels: { app } } } });

const version = (bed: DoorBed) => bed.ask('GET', PODS).body.metadata.resourceVersion as string;

describe('a watch', () => {
  it('goes on from a version without losing anything', () => {
    const bed = createDoorBed();
    bed.pod('a');
    const from = version(bed);
    bed.pod('b');
    const seen = bed.watch(PODS, { resourceVersion: from });
    label(bed, 'a', 'x');
    expect(seen.told).toEqual(['ADDED b', 'MODIFIED a']);
    seen.stop();
    bed.pod('c');
    expect(seen.told).toHaveLength(2);
  });

  it('tells an object that begins to match as ADDED, and one that stops as DELETED with what it last was', () => {
    const bed = createDoorBed();
    bed.pod('a', { labels: { app: 'x' } });
    const seen = bed.watch(PODS, { labelSelector: 'app=x', resourceVersion: version(bed) });
    label(bed, 'a', 'y');
    const after = version(bed);
    label(bed, 'a', 'z');
    label(bed, 'a', 'x');
    expect(seen.told).toEqual(['DELETED a', 'ADDED a']);
    expect(seen.events[0]?.object).toMatchObject({ metadata: { labels: { app: 'x' }, resourceVersion: after } });
  });

  it('tells nothing of other namespaces', () => {
    const bed = createDoorBed();
    const seen = bed.watch('/api/v1/namespaces/kube-system/pods', { resourceVersion: version(bed) });
    bed.pod('a');
    expect(seen.told).toEqual([]);
  });

  it('begins with what is there, and ends that with a bookmark when asked for a streamed list', () => {
    const bed = createDoorBed();
    bed.pod('b');
    bed.pod('a');
    const seen = bed.watch(PODS, {
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    });
    expect(seen.told).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK']);
    expect(seen.events[2]?.object).toMatchObject({
      kind: 'Pod',
      metadata: { resourceVersion: version(bed), annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    bed.pod('c');
    expect(seen.told.at(-1)).toBe('ADDED c');
  });

  it('begins with what is there also for a client that gives no version, but without the bookmark it did not allow', () => {
    const bed = createDoorBed();
    bed.pod('a');
    expect(bed.watch(PODS).told).toEqual(['ADDED a']);
    expect(bed.watch(PODS, { resourceVersion: '0' }).told).toEqual(['ADDED a']);
  });

  it('ends with an ERROR event of code 410 when the version is forgotten', () => {
    const bed = createDoorBed();
    bed.pod('a');
    bed.api.compact();
    const seen = bed.watch(PODS, { resourceVersion: '1' });
    expect(seen.told).toEqual(['ERROR']);
    expect(seen.events[0]?.object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' });
    expect(seen.ended).toBe(true);
  });

  it('waits for a version of the future without telling what comes before it', () => {
    const bed = createDoorBed();
    const future = String(Number(version(bed)) + 1);
    const seen = bed.watch(PODS, { resourceVersion: future });
    bed.pod('a');
    bed.pod('b');
    expect(seen.told).toEqual(['ADDED b']);
  });

  it('sends a bookmark every minute and ends after timeoutSeconds', async () => {
    const bed = createDoorBed();
    const seen = bed.watch(PODS, { resourceVersion: version(bed), allowWatchBookmarks: 'true', timeoutSeconds: '150' });
    await bed.pass(149);
    expect(seen.told).toEqual(['BOOKMARK', 'BOOKMARK', 'BOOKMARK']);
    expect(seen.ended).toBe(false);
    await bed.pass(2);
    expect(seen.ended).toBe(true);
    bed.pod('a');
    expect(seen.told).toHaveLength(3);
  });

  it('leaves no timer behind when its client goes', () => {
    const bed = createDoorBed();
    const before = bed.clock.next();
    bed.watch(PODS, { resourceVersion: version(bed), allowWatchBookmarks: 'true' }).stop();
    expect(bed.clock.next()).toBe(before);
  });

  it('of one object by its name field tells only of it', () => {
    const bed = createDoorBed();
    bed.pod('a');
    const seen = bed.watch(PODS, { fieldSelector: 'metadata.name=b', resourceVersion: version(bed) });
    bed.pod('b');
    label(bed, 'a', 'x');
    expect(seen.told).toEqual(['ADDED b']);
  });

  it('sends tables to who asks for them, with the columns only in the first', () => {
    const bed = createDoorBed();
    bed.pod('a');
    bed.pod('b');
    const seen = bed.watch(PODS, {}, 'application/json;as=Table;v=v1;g=meta.k8s.io');
    const tables = seen.events.map(({ object }) => object as { columnDefinitions: unknown; rows: { cells: unknown[] }[] });
    expect(tables.map(({ columnDefinitions }) => columnDefinitions === null)).toEqual([false, true]);
    expect(tables.map(({ rows }) => rows[0]?.cells[0])).toEqual(['a', 'b']);
  });

  it.each([
    [{ resourceVersionMatch: 'NotOlderThan', resourceVersion: '1' }, 422],
    [{ sendInitialEvents: 'true' }, 422],
    [{ sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', resourceVersion: '999' }, 504],
    [{ fieldSelector: 'spec.colour=red' }, 400],
  ])('is refused with %o', (query, code) => {
    expect(createDoorBed().ask('GET', PODS, { query: { watch: 'true', ...(query as Record<string, string>) } }).code).toBe(code);
  });
});
