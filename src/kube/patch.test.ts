import { describe, expect, it } from 'vitest';
import { patch } from './patch.ts';
import { serverVersion } from './server-version.ts';
import { fakeClient } from './testing/fake-client.ts';

describe('a patch', () => {
  it.each([
    ['merge', 'application/merge-patch+json', true],
    ['strategic', 'application/strategic-merge-patch+json', true],
    ['apply', 'application/apply-patch+yaml', true],
    ['json', 'application/json-patch+json', false],
  ] as const)('of type %s is sent as %s; may be sent twice: %s', async (type, contentType, idempotent) => {
    const client = fakeClient(() => ({ kind: 'Node' }));
    expect(await patch(client, '/api/v1/nodes/n1', { a: 1 }, type)).toEqual({ kind: 'Node' });
    expect(client.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/nodes/n1',
      body: { a: 1 },
      contentType,
      idempotent,
    });
  });

  it('carries manager, force and dry run where given', async () => {
    const client = fakeClient(() => ({}));
    await patch(client, '/x', {}, 'apply', { fieldManager: 'drover', force: true, dryRun: true, timeoutMs: 5 });
    expect(client.requests[0]).toMatchObject({ query: { fieldManager: 'drover', force: true, dryRun: 'All' }, timeoutMs: 5 });
  });
});

describe('the version of a server', () => {
  it('is a number also where a provider adds a plus', async () => {
    const client = fakeClient(() => ({ major: '1', minor: '34+', gitVersion: 'v1.34.4-eks-1' }));
    expect(await serverVersion(client)).toEqual({ major: 1, minor: 34, git: 'v1.34.4-eks-1' });
  });
});
