import { describe, expect, it } from 'vitest';
import { refusal } from '../apiserver/testing/api-bed.ts';
import type { KubeObject } from '../kubernetes.ts';
import { checkFields, matchesFields, parseFieldSelector, selectableFields } from './field-selectors.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec: { nodeName: 'node-1' },
  status: { phase: 'Running' },
} satisfies KubeObject;

describe('field selectors', () => {
  it.each([
    ['', true],
    ['metadata.name=web', true],
    ['metadata.namespace==shop,spec.nodeName=node-1', true],
    ['spec.nodeName!=node-1', false],
    ['status.phase!=Failed,status.phase!=Succeeded', true],
    ['spec.nodeName=', false],
    ['status.podIP=', true],
    ['spec.hostNetwork=false', true],
    ['metadata.name=we\\=b', false],
  ])('"%s" on a running pod: %s', (text, expected) => {
    const requirements = parseFieldSelector(text);
    checkFields(requirements, selectableFields('/pods', true));
    expect(matchesFields(requirements, pod)).toBe(expected);
  });

  it('finds a pod that is on no node by the empty text', () => {
    expect(matchesFields(parseFieldSelector('spec.nodeName='), { ...pod, spec: {} })).toBe(true);
  });

  it.each([
    ['/pods', 'spec.color=red', '400 BadRequest: field label not supported: spec.color'],
    ['/nodes', 'metadata.namespace=x', '400 BadRequest: field label not supported: metadata.namespace'],
    ['batch/jobs', 'spec.x=1', '400 BadRequest: field label "spec.x" not supported for Job'],
    [
      'apps/deployments',
      'spec.replicas=1',
      '400 BadRequest: "spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
  ])('%s does not select by %s', (id, text, expected) => {
    expect(refusal(() => checkFields(parseFieldSelector(text), selectableFields(id, true)))).toBe(expected);
  });

  it('selects custom resources by the fields of their definition', () => {
    const known = selectableFields('drover.dev/nodemaintenances', false, ['spec.nodeName']);
    expect(() => checkFields(parseFieldSelector('spec.nodeName=a,metadata.name=b'), known)).not.toThrow();
    expect(refusal(() => checkFields(parseFieldSelector('spec.reason=a'), known))).toBe(
      '400 BadRequest: field label not supported: spec.reason',
    );
  });

  it.each([
    ['nonsense', "400 BadRequest: invalid selector: 'nonsense'; can't understand 'nonsense'"],
    ['a=b=c', '400 BadRequest: invalid field selector: unescaped character in value: 61'],
    ['a=b\\c', '400 BadRequest: invalid field selector: invalid escape sequence: \\c'],
  ])('refuses "%s"', (text, expected) => {
    expect(refusal(() => parseFieldSelector(text))).toBe(expected);
  });

  it('reads what an event is about and who tells it', () => {
    const event = { ...pod, involvedObject: { name: 'web' }, reportingComponent: 'kubelet' };
    expect(matchesFields(parseFieldSelector('involvedObject.name=web,source=kubelet'), event)).toBe(true);
  });
});
