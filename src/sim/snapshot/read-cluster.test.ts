import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import { type KubeClient, KubeError, type KubeRequest } from '../../kube/client.ts';
import { readCluster } from './read-cluster.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

/** Serves lists by path: pages by their continue tokens, each a page or an error. */
function serving(answer: (request: KubeRequest) => object | KubeError | undefined): KubeClient & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    server: 'https://cluster',
    json(request) {
      asked.push(`${request.path} ${request.query?.['continue'] ?? ''}`.trim());
      const found = answer(request) ?? { metadata: {}, items: [] };
      return found instanceof KubeError ? Promise.reject(found) : Promise.resolve(found as never);
    },
    stream: () => Promise.reject(new Error('nothing is watched')),
    close() {},
  };
}

const item = (name: string) => ({ metadata: { name, uid: name, creationTimestamp: '2026-11-21T11:00:00Z' }, spec: {} });
const pageOf = (items: object[], next?: string, remainingItemCount?: number) => ({
  metadata: { ...(next && { continue: next }), ...(remainingItemCount !== undefined && { remainingItemCount }) },
  items,
});
const read = (client: KubeClient, onProgress?: Parameters<typeof readCluster>[1]['onProgress']) =>
  readCluster(client, { clock: createVirtualClock(NOW), ...(onProgress && { onProgress }) });

describe('reading a cluster', () => {
  it('goes from page to page and says how far it is', async () => {
    const client = serving(({ path, query }) => {
      if (path !== '/api/v1/nodes') return undefined;
      expect(query?.['limit']).toBe(500);
      return query?.['continue'] === 'next' ? pageOf([item('b')]) : pageOf([item('a')], 'next', 1);
    });
    const progress: string[] = [];
    const { objects, takenAt, server, missing } = await read(client, ({ kind, read: count, remaining }) => {
      if (count > 0) progress.push(`${kind} ${count} + ${remaining}`);
    });
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['Node a', 'Node b']);
    expect([takenAt, server, missing]).toEqual([NOW, 'https://cluster', []]);
    expect(progress).toEqual(['nodes 1 + 1', 'nodes 2 + 0']);
  });

  it('was taken after everything in it, also where the clock of the reader is behind', async () => {
    const client = serving(({ path }) => {
      if (path !== '/api/v1/nodes') return undefined;
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-21T12:00:09Z' }];
      return pageOf([{ ...item('a'), status: { conditions } }]);
    });
    expect((await read(client)).takenAt).toBe(NOW + 9_000);
  });

  it('asks for what is owned before its owners, so that no pod is read whose owner was made later', async () => {
    const client = serving(() => undefined);
    await read(client);
    const order = ['/api/v1/pods', '/apis/apps/v1/replicasets', '/apis/apps/v1/deployments'].map((path) =>
      client.asked.indexOf(path),
    );
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(-1);
  });

  it('begins a kind anew when the server has forgotten the version of its first page, and gives up when that goes on', async () => {
    let expired = 1;
    const gone = new KubeError('expired', { code: 410, reason: 'Expired' });
    const client = serving(({ path, query }) => {
      if (path !== '/api/v1/pods') return undefined;
      if (!query?.['continue']) return pageOf([item('a')], 'next');
      return expired-- > 0 ? gone : pageOf([item('b')]);
    });
    expect((await read(client)).objects.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expired = Number.POSITIVE_INFINITY;
    await expect(read(client)).rejects.toBe(gone);
  });

  it('goes on without a kind that may not be listed or is not served, and does not miss Drover where it is not installed', async () => {
    const client = serving(({ path }) => {
      if (path.endsWith('/poddisruptionbudgets')) return new KubeError('no', { code: 403 });
      if (path.includes('autoscaling') || path.includes('drover.dev')) return new KubeError('no', { code: 404 });
      return undefined;
    });
    expect((await read(client)).missing).toEqual([
      { kind: 'poddisruptionbudgets', why: 'you may not list them; no budget holds a pod back' },
      { kind: 'horizontalpodautoscalers', why: 'the server does not serve them; nothing scales' },
    ]);
  });

  it.each([
    ['/api/v1/pods', 403],
    ['/api/v1/nodes', 403],
    ['/apis/apps/v1/deployments', 500],
    ['/apis/apps/v1/deployments', 0],
  ])('ends with the error of the server for %s: %i', async (failing, code) => {
    const error = new KubeError('no', { code });
    await expect(read(serving(({ path }) => (path === failing ? error : undefined)))).rejects.toBe(error);
  });
});
