/** Only for tests of the API server: one on a virtual clock, and what a refusal says. */
import { createVirtualClock, type VirtualClock } from '../../../lib/clock.ts';
import type { KubeObject, Pod, PodSpec } from '../../kubernetes.ts';
import { createSeededRandom } from '../../seeded-random.ts';
import type { Draft, Kind } from '../api.ts';
import { createApi } from '../create-api.ts';
import { Failure } from '../failure.ts';
import { pods } from '../kinds.ts';
import type { Registry } from '../registry.ts';
import { apiVersionOf } from '../resource.ts';

export const START = Date.parse('2030-01-01T00:00:00Z');

export interface ApiBed {
  readonly clock: VirtualClock;
  readonly api: Registry;
  /** "TYPE name version" of every event of the kind from now on. */
  log(kind: Kind): readonly string[];
  /** In "default", with a container "app"; the rest as given. */
  pod(name: string, spec?: Partial<PodSpec>, metadata?: Partial<Pod['metadata']>): Pod;
  /** A running pod on a node, Ready unless said otherwise. */
  running(name: string, labels?: Record<string, string>, ready?: boolean): Pod;
  /** In "default" where the kind is namespaced. */
  make<T extends KubeObject>(kind: Kind<T>, name: string, fields?: object, metadata?: object): T;
}

export function createApiBed(options: { readonly history?: number } = {}): ApiBed {
  const clock = createVirtualClock(START);
  const api = createApi({ clock, random: createSeededRandom(1), ...options });
  const make: ApiBed['make'] = (kind, name, fields = {}, metadata = {}) =>
    api.create(kind, {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: { ...(kind.namespaced && { namespace: 'default' }), name, ...metadata },
      ...fields,
    } as unknown as Draft<never>);
  const pod: ApiBed['pod'] = (name, spec, metadata) =>
    make(pods, name, { spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec } }, metadata);
  return {
    clock,
    api,
    make,
    pod,
    log(kind) {
      const lines: string[] = [];
      api.watch(kind, ({ type, object }) => {
        lines.push(`${type} ${object.metadata.name} ${object.metadata.resourceVersion}`);
      });
      return lines;
    },
    running(name, labels = {}, ready = true) {
      pod(name, { nodeName: 'node-1' }, { labels });
      const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }] as const;
      return api.patch(pods, 'default', name, (one) => ({ ...one, status: { ...one.status, phase: 'Running', conditions } }), {
        subresource: 'status',
      });
    },
  };
}

/** The Failure that `write` throws. */
export function refusalOf(write: () => unknown): Failure {
  try {
    write();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** "code reason: message". */
export function refusal(write: () => unknown): string {
  const { code, reason, message } = refusalOf(write);
  return `${code} ${reason}: ${message}`;
}
