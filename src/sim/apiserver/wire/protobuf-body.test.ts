import { describe, expect, it } from 'vitest';
import { message } from '../../../kube/testing/proto-writer.ts';
import { withKnownFields } from './known-fields.ts';
import { protobufBody } from './protobuf-body.ts';

const envelope = (apiVersion: string, kind: string, object: Buffer) =>
  Buffer.concat([Buffer.from('k8s\0'), message([1, message([1, apiVersion], [2, kind])], [2, object])]);

// The field numbers are those of generated.proto in k8s.io/api.
const meta = (name: string) =>
  message([1, name], [2, ''], [3, 'default'], [5, ''], [7, 0], [8, Buffer.alloc(0)], [11, message([1, 'app'], [2, 'web'])]);

describe('a body in protobuf', () => {
  it('is read as the JSON that the same client would send', () => {
    const container = message([1, 'app'], [2, 'app:1'], [6, message([2, 0], [3, 8080], [4, 'TCP'])], [8, message()], [18, false]);
    const probed = message(
      [1, 'side'],
      [11, message([1, message([2, message([1, '/'], [2, message([1, 1], [3, 'http'])])])], [2, 5])],
    );
    const spec = message([2, container], [2, probed], [4, 0], [25, -10], [7, message([1, 'zone'], [2, 'a'])]);
    const template = message([1, message([11, message([1, 'app'], [2, 'web'])])], [2, spec]);
    const strategy = message([1, 'RollingUpdate'], [2, message([1, message([1, 0], [2, 1])], [2, message([1, 1], [3, '25%'])])]);
    const deployment = message([1, meta('web')], [2, message([1, 0], [3, template], [4, strategy])], [3, message()]);
    expect(protobufBody(envelope('apps/v1', 'Deployment', deployment))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
      spec: {
        // a pointer: its zero counts
        replicas: 0,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: '25%' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              { name: 'app', image: 'app:1', ports: [{ containerPort: 8080, protocol: 'TCP' }] },
              { name: 'side', readinessProbe: { httpGet: { path: '/', port: 'http' }, initialDelaySeconds: 5 } },
            ],
            terminationGracePeriodSeconds: 0,
            nodeSelector: { zone: 'a' },
            priority: -10,
          },
        },
      },
    });
  });

  it('carries bytes, times and lists of strings', () => {
    const secret = message([1, meta('s')], [2, message([1, 'a'], [2, Buffer.from('b')])], [3, 'Opaque']);
    expect(protobufBody(envelope('v1', 'Secret', secret))).toMatchObject({ data: { a: 'Yg==' }, type: 'Opaque' });
    const lease = message([1, meta('l')], [2, message([1, 'me'], [4, message([1, 1_893_456_000], [2, 123_456_000])])]);
    expect(protobufBody(envelope('coordination.k8s.io/v1', 'Lease', lease))).toMatchObject({
      spec: { holderIdentity: 'me', renewTime: '2030-01-01T00:00:00.123456Z' },
    });
    const review = message([
      2,
      message([3, 'jane'], [4, 'a'], [4, 'b'], [5, message([1, 'scopes'], [2, message([1, 'x'], [1, 'y'])])]),
    ]);
    expect(protobufBody(envelope('authorization.k8s.io/v1', 'SubjectAccessReview', review))).toMatchObject({
      spec: { user: 'jane', groups: ['a', 'b'], extra: { scopes: ['x', 'y'] } },
    });
  });

  it('of a kind that is not built in is not read', () => {
    expect(protobufBody(envelope('example.org/v1', 'Boat', message()))).toBeUndefined();
  });

  it.each([
    ['without the magic number', Buffer.from('{"kind":"Pod"}')],
    ['cut off', envelope('v1', 'Pod', message([1, meta('a')])).subarray(0, -5)],
  ])('%s is refused', (_, bytes) => {
    expect(() => protobufBody(bytes)).toThrow(/the object provided is unrecognized/);
  });
});

describe('known fields', () => {
  it('leave an object that has no others as it is, by reference', () => {
    const pod = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'a', labels: { anything: 'goes' } },
      spec: {
        containers: [{ name: 'c', livenessProbe: { httpGet: { port: 1 } } }],
        nodeSelector: { free: 'text' },
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    };
    expect(withKnownFields(pod, 'Pod').object).toBe(pod);
  });

  it('are all that is left, without the rest being copied', () => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    const { object, unknown } = withKnownFields(
      { metadata: { nam: 'a' }, spec: { volumes, containers: [{ name: 'c', Image: 'x' }] } },
      'Pod',
    );
    expect(unknown).toEqual(['metadata.nam', 'spec.containers[0].Image']);
    expect(object).toEqual({ metadata: {}, spec: { volumes, containers: [{ name: 'c' }] } });
    expect(object.spec.volumes).toBe(volumes);
  });
});
