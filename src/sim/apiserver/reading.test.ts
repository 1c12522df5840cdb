import { describe, expect, it } from 'vitest';
import { createDoorBed, type DoorBed } from '../testing/door-bed.ts';

const PODS = '/api/v1/namespaces/default/pods';

const names = (body: { readonly items: readonly { readonly metadata: { readonly name: string } }[] }) =>
  body.items.map(({ metadata }) => metadata.name);

function withPods(...pods: string[]): DoorBed {
  const bed = createDoorBed();
  for (const name of pods) bed.pod(name, { labels: { app: name } });
  return bed;
}

describe('a list in pages', () => {
  it('shows the cluster as it was at the first page, whatever happens meanwhile', () => {
    const bed = withPods('a', 'b', 'c', 'd');
    const first = bed.ask('GET', PODS, { query: { limit: '2' } });
    expect(names(first.body)).toEqual(['a', 'b']);
    expect(first.body.metadata.remainingItemCount).toBe(2);

    bed.ask('DELETE', `${PODS}/c`, { query: { gracePeriodSeconds: '0' } });
    bed.pod('bb');
    bed.ask('PATCH', `${PODS}/d`, {
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { app: 'changed' } } },
    });
    const second = bed.ask('GET', PODS, { query: { limit: '2', continue: first.body.metadata.continue } });
    expect(names(second.body)).toEqual(['c', 'd']);
    expect(second.body.items[1].metadata.labels).toEqual({ app: 'd' });
    expect(second.body.metadata).toEqual({ resourceVersion: first.body.metadata.resourceVersion });
    expect(names(bed.ask('GET', PODS).body)).toEqual(['a', 'b', 'bb', 'd']);
  });

  it('says nothing of how many are left when there is a selector', () => {
    const bed = withPods('a', 'b', 'c');
    const { metadata } = bed.ask('GET', PODS, { query: { limit: '1', labelSelector: 'app!=c' } }).body;
    expect(Object.keys(metadata).sort()).toEqual(['continue', 'resourceVersion']);
  });

  it('is refused with 410 when its version is forgotten, with a token that goes on from what is there now', () => {
    const bed = withPods('a', 'b', 'c');
    const first = bed.ask('GET', PODS, { query: { limit: '1' } });
    bed.pod('bb');
    bed.api.compact();
    const expired = bed.ask('GET', PODS, { query: { limit: '5', continue: first.body.metadata.continue } });
    expect(expired.code).toBe(410);
    expect(expired.body.reason).toBe('Expired');
    const again = bed.ask('GET', PODS, { query: { continue: expired.body.metadata.continue } });
    expect(names(again.body)).toEqual(['b', 'bb', 'c']);
  });

  it.each(['nonsense', Buffer.from('{"v":"meta.k8s.io/v2","rv":3,"start":"a"}').toString('base64url')])(
    'refuses the token %s',
    (token) => {
      const { code, body } = withPods('a').ask('GET', PODS, { query: { continue: token } });
      expect([code, body.reason]).toEqual([400, 'BadRequest']);
      expect(body.message).toContain('continue key is not valid');
    },
  );
});

describe('a list at a version', () => {
  it('gives exactly that version when asked to', () => {
    const bed = withPods('a');
    const version = bed.ask('GET', PODS).body.metadata.resourceVersion;
    bed.pod('b');
    const exact = bed.ask('GET', PODS, { query: { resourceVersion: version, resourceVersionMatch: 'Exact' } });
    expect(names(exact.body)).toEqual(['a']);
    const notOlder = bed.ask('GET', PODS, { query: { resourceVersion: version, resourceVersionMatch: 'NotOlderThan' } });
    expect(names(notOlder.body)).toEqual(['a', 'b']);
  });

  it('ignores the limit at version 0, as the watch cache does', () => {
    const { body } = withPods('a', 'b').ask('GET', PODS, { query: { resourceVersion: '0', limit: '1' } });
    expect(names(body)).toEqual(['a', 'b']);
  });

  it('answers 504 with a cause for a version that is still to come', () => {
    const { code, headers, body } = withPods('a').ask('GET', PODS, { query: { resourceVersion: '999' } });
    expect([code, headers]).toEqual([504, { 'Retry-After': '1' }]);
    expect(body.details.causes[0].reason).toBe('ResourceVersionTooLarge');
  });

  it.each([
    [{ resourceVersionMatch: 'Exact' }, 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
    [
      { resourceVersionMatch: 'Exact', resourceVersion: '0' },
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [{ resourceVersionMatch: 'Sometimes', resourceVersion: '1' }, 'Unsupported value: "Sometimes"'],
    [{ sendInitialEvents: 'true' }, 'sendInitialEvents is forbidden for list'],
  ])('refuses %o', (query, text) => {
    const { code, body } = withPods('a').ask('GET', PODS, { query });
    expect([code, body.reason, body.details.kind]).toEqual([422, 'Invalid', 'ListOptions']);
    expect(body.message).toContain(text);
  });

  it('refuses a version that is no number', () => {
    expect(withPods('a').ask('GET', PODS, { query: { resourceVersion: 'x' } }).code).toBe(400);
  });
});

describe('selectors', () => {
  it('select by node through all namespaces', () => {
    const bed = createDoorBed();
    bed.node('n1');
    bed.pod('a', { spec: { nodeName: 'n1' } });
    bed.pod('b');
    expect(names(bed.ask('GET', '/api/v1/pods', { query: { fieldSelector: 'spec.nodeName=n1' } }).body)).toEqual(['a']);
    expect(names(bed.ask('GET', '/api/v1/pods', { query: { fieldSelector: 'spec.nodeName!=n1' } }).body)).toEqual(['b']);
  });

  it.each([
    [{ fieldSelector: 'spec.colour=red' }, 'field label not supported: spec.colour'],
    [{ labelSelector: 'a in (' }, 'unable to parse requirement'],
  ])('refuse %o', (query, text) => {
    const { code, body } = createDoorBed().ask('GET', PODS, { query });
    expect(code).toBe(400);
    expect(body.message).toContain(text);
  });
});
